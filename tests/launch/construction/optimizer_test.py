from types import SimpleNamespace

import keras
import numpy as np
import pytest

from launch import checks
from launch.construction.learner import build_optimizer
from tests.launch.experiments import make
from tfmgaug.optimizers import L2SGD

FLAGS = {"learning_rate": 10.0, "epochs": 5, "steps_per_epoch": 20}


def build(**changes):
    given = {**FLAGS, **changes}
    checks._schedule(SimpleNamespace(**{"schedule": "constant", "warmup_steps": None, **given}))
    return build_optimizer(make(**given))


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


def test_sgd_takes_nesterov_s_momentum_and_an_l2_penalty():
    assert not build(optimizer="sgd", momentum=0.9).nesterov
    own = {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    optimizer = build(optimizer="sgd", clip_gradients=10.0, **own)
    assert isinstance(optimizer, L2SGD)
    assert (optimizer.momentum, optimizer.nesterov, optimizer.l2) == (0.9, True, 5e-4)
    assert (optimizer.clipvalue, optimizer.weight_decay) == (10.0, None)


STEPS = {"schedule": "steps", "schedule_epochs": ["2", "4"], "schedule_factors": ["0.5", "0.06"]}


def test_steps_change_the_rate_with_the_first_step_of_an_epoch():
    # 5 epochs of 20 outer steps, counted from 1: the second begins with step 20 of those from 0.
    expected = np.repeat([10, 5, 5, 0.6, 0.6], 20)
    np.testing.assert_allclose(rates(build(**STEPS)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule_epochs": None},
        {"schedule_factors": None},
        {"schedule_factors": ["0.5"]},
        {"schedule_factors": ["0.5", "-1"]},
        {"schedule_epochs": ["2", "x"]},
        {"schedule_epochs": ["4", "2"]},
        {"schedule_epochs": ["1", "2"]},
        {"schedule_epochs": ["2", "6"]},
    ],
)
def test_steps_that_are_none_are_refused(changes):
    with pytest.raises(ValueError, match="needs --schedule_epochs, rising from 2 to --epochs.*=5"):
        build(**{**STEPS, **changes})


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


def test_a_warm_up_leaves_steps_to_decay_in():
    with pytest.raises(ValueError, match="must leave steps to decay in"):
        build(warmup_steps=100, schedule="cosine")
