"""Which weights the inner loop changes, said as data."""

import keras
import numpy as np
import pytest

from tests.helpers.adaptation import adapted
from tests.helpers.tasks import batch, flat, scatter, smooth_mlp, task
from tfmgaug.learners import ANIL, BOIL, CAVIA, FOMAML, MAML

CONTEXT = {"normalization": False, "context": 3}
FIXED = {
    "head": (ANIL, {}),
    "body": (BOIL, {}),
    "context": (CAVIA, CONTEXT),
}


@pytest.mark.parametrize("adapts", ["head", "body"])
def test_maml_with_a_part_that_adapts_is_the_learner_of_that_part(adapts):
    kind, options = FIXED[adapts]
    settings = {"inner_steps": 2, "inner_learning_rate": 0.25}
    learner = scatter(MAML(smooth_mlp(**options), adapts=adapts, **settings))
    other = scatter(kind(smooth_mlp(**options), **settings))
    assert list(learner.adapting) == list(other.adapting)
    found, expected = (one.meta_gradients(batch()) for one in (learner, other))
    assert list(found) == list(expected)
    np.testing.assert_array_equal(flat(found), flat(expected))


@pytest.mark.parametrize("adapts", FIXED)
def test_another_part_than_that_of_its_name_is_refused(adapts):
    kind, options = FIXED[adapts]
    with pytest.raises(ValueError, match=f"{kind.__name__} is MAML with adapts={adapts!r}"):
        kind(smooth_mlp(**options), adapts="all")


@keras.saving.register_keras_serializable("tests")
def first_layer(name):
    return name.startswith("dense1_")


def test_a_function_of_the_name_says_what_adapts():
    learner = scatter(FOMAML(smooth_mlp(), adapts=first_layer, inner_steps=1))
    assert list(learner.adapting) == ["dense1_kernel"]
    assert set(adapted(learner, task(batch()))) == {"dense1_kernel", "classes"}
    assert learner.inner_rates().keys() == {"dense1_kernel"}


def test_a_function_is_saved_with_the_learner(tmp_path):
    learner = scatter(MAML(smooth_mlp(), adapts=first_layer, inner_steps=1))
    learner.save(tmp_path / "learner.keras")
    copy = keras.saving.load_model(tmp_path / "learner.keras")
    assert copy.adapts is first_layer
    np.testing.assert_array_equal(*(flat(m.meta_gradients(batch())) for m in (copy, learner)))


@pytest.mark.parametrize("adapts", ["heads", None, ["head"]])
def test_what_is_no_choice_is_refused(adapts):
    with pytest.raises(ValueError, match="`adapts` must be one of .* or a function from the name"):
        MAML(smooth_mlp(), adapts=adapts)


def test_a_choice_that_no_weight_meets_is_refused():
    with pytest.raises(ValueError, match=r"unfreeze what is to adapt.*'dense1_kernel'.*'mlp'"):
        MAML(smooth_mlp(), adapts="context")


def test_a_learner_may_be_called_as_a_layer_is():
    learner, other = (scatter(MAML(smooth_mlp(), inner_steps=1, name=n)) for n in ("head", None))
    found = learner.meta_gradients(batch())
    assert list(found) == list(learner.network.variables)
    np.testing.assert_array_equal(flat(found), flat(other.meta_gradients(batch())))
    learner.weight_gradient(learner.meta_params, task(batch()))
