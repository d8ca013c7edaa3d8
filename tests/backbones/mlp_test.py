import numpy as np
import pytest

from tests.helpers.numpy_layers import number_of_weights
from tfmgaug.backbones import mlp


def sizes(model):
    return [layer.units for layer in model.layers if hasattr(layer, "units")]


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 0.25])
def test_the_width_factor_multiplies_every_hidden_layer(factor):
    expected = [int(size * factor) for size in (256, 128, 64, 64)]
    assert sizes(mlp(5, (28, 28, 1), width_factor=factor)) == [*expected, 5]
    # In floating point, 0.29 times 100 is a little less than 29.
    assert sizes(mlp(5, (4,), hidden=(100, 10), width_factor=0.29)) == [29, 3, 5]


def test_the_mlp_of_the_meta_ticket_paper_has_five_layers_on_both_kinds_of_images():
    hidden = (1024, 512, 256, 128)
    model = mlp(5, (32, 32, 3), hidden=hidden)
    entering = (32 * 32 * 3, *hidden)
    kernels = sum(a * b for a, b in zip(entering, (*hidden, 5)))
    assert number_of_weights(model) == kernels + 2 * sum(hidden) + 5
    assert model(np.zeros([2, 32, 32, 3], "uint8")).shape == (2, 5)
    assert len(sizes(mlp(20, (28, 28, 1), width_factor=2))) == 5


def test_a_factor_of_one_changes_nothing():
    plain, given = (mlp(3, (4,), hidden=(5, 4), **o) for o in ({}, {"width_factor": 1.0}))
    for found, expected in zip(given.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("factor", [0, -1, 0.1])
def test_a_factor_that_leaves_a_layer_empty_is_refused(factor):
    with pytest.raises(ValueError, match=f"`width_factor` must leave.*width_factor={factor} and"):
        mlp(3, (4,), hidden=(40, 4), width_factor=factor)
