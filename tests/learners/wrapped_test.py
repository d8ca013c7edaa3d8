"""Backbones that hold models: they learn as the bare ones do."""

import keras
import numpy as np
import pytest

from tests.helpers.learner_kinds import GRADIENT_BASED
from tests.helpers.tasks import batch, flat, scatter
from tfmgaug.augmentation import MGAug
from tfmgaug.backbones import conv4, mlp
from tfmgaug.learners import ANIL, BOIL, CAVIA, FOMAML, FineTuning
from tfmgaug.masks import WidthMask, cut

layers = keras.layers


def wrapped(model):
    inputs = keras.Input(model.inputs[0].shape[1:])
    return keras.Sequential([inputs, keras.Model(inputs, model(inputs))])


@pytest.mark.parametrize("name", GRADIENT_BASED)
def test_a_wrapped_backbone_learns_as_the_bare_one(name):
    bare, other = (
        scatter(GRADIENT_BASED[name](wrap(mlp(3, (4,), (5, 4)))))
        for wrap in (lambda model: model, wrapped)
    )
    assert list(other.initial_state()) == list(bare.initial_state())
    assert list(other.inner_rates()) == list(bare.inner_rates())
    assert other.classifier.name == bare.classifier.name == "head"
    found, expected = other.meta_gradients(batch()), bare.meta_gradients(batch())
    np.testing.assert_array_equal(flat(found), flat(expected))


def test_the_head_of_a_wrapped_backbone_alone_adapts_in_anil_and_is_never_pruned():
    backbone = wrapped(conv4(3, (16, 16, 1), 4))
    assert list(ANIL(backbone).initial_state()) == ["head_kernel", "head_bias"]
    assert "head_kernel" not in BOIL(backbone).initial_state()
    learner = FOMAML(backbone, augmentation=MGAug(WidthMask(0.5)))
    pruned = learner.augmentation.mask.prunable
    assert pruned[0] == "conv1_kernel"
    assert not any(name.startswith("head") for name in pruned)
    assert [stage.name for stage in learner.network.stages][-2:] == ["stage4", "head"]
    assert learner.image_shape == (16, 16, 1)
    assert cut(backbone, 0.5).count_params() < backbone.count_params() / 3


def test_fine_tuning_and_contexts_find_what_is_wrapped():
    learner = FineTuning(wrapped(mlp(3, (4,), (5, 4))), classes=6)
    assert learner.training_head.kernel.shape == (4, 6)
    contextual = wrapped(mlp(3, (4,), (5, 4), normalization=False, context=2))
    assert list(CAVIA(contextual).initial_state()) == ["context_vector"]


def test_a_wrapped_backbone_is_saved_and_exported(tmp_path):
    learner = scatter(ANIL(wrapped(mlp(3, (4,), (5, 4)))))
    support = batch()[0]["support_x"][0].astype("float32"), batch()[0]["support_y"][0]
    queries = batch()[0]["query_x"][0].astype("float32")
    expected = learner.adapt(*support).predict(queries)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    np.testing.assert_array_equal(loaded.adapt(*support).predict(queries), expected)
