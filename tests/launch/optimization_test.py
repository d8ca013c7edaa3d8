from types import SimpleNamespace

import keras
import numpy as np
import pytest

from launch.optimization import build_optimizer

FLAGS = {
    "optimizer": "adam",
    "learning_rate": 10.0,
    "momentum": None,
    "clip_gradients": None,
    "schedule": "constant",
    "warmup_steps": None,
    "epochs": 5,
    "steps_per_epoch": 20,
}


def build(**changes):
    return build_optimizer(SimpleNamespace(**{**FLAGS, **changes}))


def rates(optimizer, steps=range(100)):
    return np.array([optimizer._learning_rate(step) for step in steps])


def test_adam_at_a_constant_rate_is_the_default():
    optimizer = build()
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert float(optimizer.learning_rate) == 10.0


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_gradients_are_clipped_where_asked_for(optimizer):
    assert build(optimizer=optimizer).clipvalue is None
    assert build(optimizer=optimizer, clip_gradients=10.0).clipvalue == 10.0


def test_sgd_takes_momentum():
    assert build(optimizer="sgd").momentum == 0
    optimizer = build(optimizer="sgd", momentum=0.9)
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert optimizer.momentum == 0.9


def test_cosine_falls_to_zero_over_all_steps():
    expected = 10 * (1 + np.cos(np.pi * np.arange(100) / 100)) / 2
    np.testing.assert_allclose(rates(build(schedule="cosine")), expected, rtol=1e-5, atol=1e-5)


def test_linear_falls_to_zero_over_all_steps():
    expected = 10 * (1 - np.arange(100) / 100)
    np.testing.assert_allclose(rates(build(schedule="linear")), expected, rtol=1e-5, atol=1e-5)


def test_the_warm_up_rises_from_the_first_step_on_and_cosine_follows():
    found = rates(build(optimizer="sgd", schedule="cosine", warmup_steps=19))
    np.testing.assert_allclose(found[:20], 10 * np.arange(1, 21) / 20, rtol=1e-5)
    cosine = 10 * (1 + np.cos(np.pi * np.arange(81) / 81)) / 2
    np.testing.assert_allclose(found[19:], cosine, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"momentum": 0.9}, "--momentum is of --optimizer=sgd"),
        ({"warmup_steps": 5}, "--warmup_steps come before --schedule=cosine"),
        ({"warmup_steps": 100, "schedule": "cosine"}, "must leave steps to decay in"),
    ],
)
def test_flags_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)
