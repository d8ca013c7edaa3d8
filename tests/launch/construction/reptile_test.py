from types import SimpleNamespace

from launch.construction import reptile
from tfmgaug.engine.inner_optimizers import SGD, Adam

FLAGS = {
    "inner_optimizer": "adam",
    "inner_momentum": 0.9,
    "inner_beta_1": 0.5,
    "inner_batch": 10,
    "evaluation_batch": 5,
    "inner_reduction": "sum",
    "carry_slots": True,
}


def options(learner="reptile", **given):
    common = {"learner": learner, "learn_inner_rates": "no", "recompute_inner_steps": False}
    common["test_inner_steps"] = None
    return SimpleNamespace(**{**dict.fromkeys(FLAGS), **common, **given})


def built(**given):
    return reptile.learner_options(options(**given))


def test_without_flags_inner_steps_are_plain_gradient_descent():
    found = built()
    assert set(found) == {"evaluation_steps", "inner_optimizer"}
    assert found["evaluation_steps"] is None
    assert isinstance(found["inner_optimizer"], SGD)
    assert found["inner_optimizer"].momentum == 0


def test_flags_reach_the_constructor():
    others = {n: v for n, v in FLAGS.items() if n not in ("inner_momentum", "inner_beta_1")}
    found = built(**others, test_inner_steps=50)
    adam = found.pop("inner_optimizer")
    assert (type(adam), adam.beta_1, adam.epsilon) == (Adam, 0, 1e-8)
    others.pop("inner_optimizer")
    assert found == {**others, "evaluation_steps": 50}
    assert built(inner_momentum=0.9)["inner_optimizer"].momentum == 0.9
    assert built(inner_optimizer="adam", inner_beta_1=0.5)["inner_optimizer"].beta_1 == 0.5


def test_other_learners_get_nothing():
    assert built(learner="maml") == {}
