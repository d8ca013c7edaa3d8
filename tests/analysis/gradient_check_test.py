import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import batch, scatter, smooth_mlp
from tfmgaug import MGAug
from tfmgaug.analysis import check_gradients, in_float64
from tfmgaug.backbones import exactness, mlp
from tfmgaug.learners import ANIL, CAVIA, FOMAML, MAML, MetaTicket, ProtoNet
from tfmgaug.masks import CatfishMask, ScoreMask
from tfmgaug.regularizers import GradDrop

FEW = {"directions": 2, "steps": (1e-5,)}


def build(kind, backbone=None, **options):
    options = {"inner_steps": 2, "inner_learning_rate": 0.3, **options}
    return scatter(kind(smooth_mlp() if backbone is None else backbone, **options))


class StockNormalization(keras.layers.Layer):
    """Normalizes as Keras does on TensorFlow: wrong at second order."""

    def call(self, x):
        mean, variance = tf.nn.moments(x, [0])
        return (x - mean) * tf.math.rsqrt(variance + 1e-3)


def smooth_context_mlp():
    return smooth_mlp(context=2, normalization=False)


def stock_mlp():
    inputs = keras.Input((4,), dtype="float64")
    x = keras.layers.Dense(5, dtype="float64", name="dense")(inputs)
    x = keras.layers.Activation("tanh", dtype="float64")(StockNormalization(dtype="float64")(x))
    return keras.Model(inputs, keras.layers.Dense(3, dtype="float64", name="head")(x))


def plain_mlp():
    return mlp(3, (4,), (5,), normalization=False, activation="tanh", dtype="float64")


@pytest.mark.parametrize(
    ("kind", "backbone", "options"),
    [
        (MAML, smooth_mlp, {"learn_inner_rates": "layer"}),
        (MAML, plain_mlp, {"augmentation": MGAug(CatfishMask(0.3), subnetworks=1)}),
        (FOMAML, smooth_mlp, {"statistics": "support"}),
        (ANIL, plain_mlp, {"first_order": True}),
    ],
    ids=["MAML with learned rates", "MAML with MGAug", "FOMAML", "first-order ANIL"],
)
def test_exact_meta_gradients_pass(kind, backbone, options):
    checked = check_gradients(build(kind, backbone(), **options), batch(tasks=1), **FEW)
    assert checked.passed, str(checked)
    assert checked.relative_error < 1e-7
    assert np.abs(checked.slopes).max() > 1e-3
    assert checked.subnetworks == ("augmentation" in options)
    assert checked.second_order == (kind is MAML)


def test_a_learner_without_inner_steps_passes():
    checked = check_gradients(scatter(ProtoNet(smooth_mlp(way=None))), batch(tasks=1), **FEW)
    assert checked.passed
    assert checked.second_order


def test_normalization_that_is_wrong_at_second_order_fails(monkeypatch):
    # It is refused at the door; the check must tell where nobody stands there.
    monkeypatch.setattr(exactness, "refuse_inexact", lambda *arguments: None)
    wrong = check_gradients(build(MAML, stock_mlp()), batch(), **FEW)
    assert not wrong.passed
    assert wrong.relative_error > 1e-3
    assert "DIFFER" in str(wrong)
    assert "kinks" not in str(wrong)
    # At first order the same network is right.
    assert check_gradients(build(FOMAML, stock_mlp()), batch(tasks=1), **FEW).passed


def test_learned_rates_of_a_first_order_learner_are_left_out_though_its_context_is_no_weight():
    pupil = build(CAVIA, smooth_context_mlp(), first_order=True, learn_inner_rates="layer")
    assert check_gradients(pupil, batch(tasks=1), **FEW).passed


def test_a_ticket_in_float64_keeps_its_thresholds():
    pupil = scatter(MetaTicket(smooth_mlp(dtype="float32"), score_mask=ScoreMask(0.4)))
    for threshold in pupil.score_mask.thresholds.values():
        threshold.assign(threshold + 0.2)
    kept = [pupil.score_mask.masks(), in_float64(pupil).score_mask.masks()]
    assert kept[0].keys() == kept[1].keys()
    for name, mask in kept[0].items():
        np.testing.assert_array_equal(kept[1][name], mask)


def test_words_warn_of_kinks_and_of_float32():
    kinked = mlp(3, (4,), (5,), normalization=False)
    checked = check_gradients(build(MAML, kinked), batch(tasks=1), directions=2, steps=[3.0])
    assert checked.kinks == ("stage1",)
    assert not checked.passed
    assert "kinks drown" in str(checked)
    assert "float64" in str(checked)


def test_a_float32_learner_is_checked_roughly_or_converted():
    rough = build(MAML, smooth_mlp(dtype="float32"))
    assert check_gradients(rough, batch(tasks=1), directions=3).passed
    exact = in_float64(rough)
    assert {v.dtype for v in exact.backbone.trainable_variables} == {"float64"}
    for new, old in zip(exact.meta_variables, rough.meta_variables):
        np.testing.assert_array_equal(new.numpy().astype("float32"), old.numpy())
    gradients, expected = (made.meta_gradients(batch(tasks=1)) for made in (exact, rough))
    assert gradients.keys() == expected.keys()
    for name, gradient in expected.items():
        np.testing.assert_allclose(gradients[name], gradient, atol=1e-5)


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(ValueError, match="regularizers|Regularizers"):
        check_gradients(build(MAML, regularizers=[GradDrop()]), batch())
    with pytest.raises(ValueError, match="float64, or float32"):
        check_gradients(build(MAML, smooth_mlp(dtype="mixed_bfloat16")), batch())
    with pytest.raises(ValueError, match="directions=0"):
        check_gradients(build(MAML), batch(), directions=0)
    clipped = build(CAVIA, smooth_context_mlp(), clip_task_gradients=0.1)
    with pytest.raises(ValueError, match="not the slope.*Received: clip_task_gradients=0.1"):
        check_gradients(clipped, batch())
