import functools

import numpy as np
import pytest

from tfmgaug.backbones import conv4, mlp, stages
from tfmgaug.layers import Context, FiLM


def test_every_example_gets_the_vector():
    layer = Context(3)
    assert layer(np.ones([2, 4, 4, 1], "float32")).numpy().tolist() == [[0, 0, 0]] * 2
    layer.vector.assign([1, 2, 3])
    assert layer(np.ones([2, 4, 4, 1], "float32")).numpy().tolist() == [[1, 2, 3]] * 2
    with pytest.raises(ValueError, match="`size` must be at least 1"):
        Context(0)


def test_film_scales_and_shifts_channels_as_the_context_says():
    draws = np.random.default_rng(0)
    x = draws.normal(size=(2, 3, 3, 4)).astype("float32")
    phi = draws.normal(size=(2, 5)).astype("float32")
    layer = FiLM()
    found = layer([x, phi])
    assert np.abs(layer.kernel).max() <= (3 / 5) ** 0.5
    assert 0 < np.abs(layer.bias).max() <= 5**-0.5
    modulation = np.einsum("bs,skc->bkc", phi, layer.kernel) + layer.bias
    scale, shift = modulation[:, 0, None, None], modulation[:, 1, None, None]
    np.testing.assert_allclose(found, scale * x + shift, rtol=1e-5, atol=1e-6)


def test_a_context_leaves_the_other_weights_at_their_start():
    plain_mlp = functools.partial(mlp, normalization=False)
    for make, shape in ((conv4, (16, 16, 1)), (plain_mlp, (4,))):
        plain = {v.path: v for v in make(3, shape).variables}
        bound = {v.path: v for v in make(3, shape, context=2).variables}
        shared = [p for p in plain if plain[p].shape == bound[p].shape]
        assert len(shared) >= len(plain) - 1  # the first kernel of an MLP grows
        for path in shared:
            np.testing.assert_array_equal(plain[path], bound[path])


def test_a_conv4_with_a_context_still_has_stages():
    names = [
        stage.name for stage in stages(conv4(3, (16, 16, 1), context=2, context_blocks=(1, 3)))
    ]
    assert names == ["stage1", "stage2", "stage3", "stage4", "head"]
    with pytest.raises(ValueError, match="`context_blocks` must name blocks from 1 to 4"):
        conv4(3, (16, 16, 1), context=2, context_blocks=(0,))


def test_a_context_that_normalization_would_cancel_is_refused():
    with pytest.raises(ValueError, match="cancels a context.*use normalization=False"):
        mlp(3, (4,), context=2)
