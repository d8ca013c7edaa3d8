"""An experiment is rebuilt from its JSON alone, and from the flags of earlier versions."""

import dataclasses
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import tfmgaug
from launch import experiment, loading, recipes, registry
from launch.construction.learner import build_learner
from launch.experiment import Experiment, Part
from tests.launch.experiments import make, values

TASKS = SimpleNamespace(
    example_shape=(28, 28, 1),
    mean=127.5,
    standard_deviation=127.5,
    regression=False,
    train=SimpleNamespace(),
)
MADE = [
    {},
    {"learner": "metaoptnet", "head": "ridge", "optimizer": "sgd", "schedule": "cosine"},
    {"learner": "meta_ticket", "weight_initializer": "signed_constant", "mask": "none"},
    {"learner": "reptile", "inner_optimizer": "adam", "pruning": "dsd", "pruning_rates": ["0.5"]}
    | {"pruning_dense": 1, "pruning_sparse": 1},
    {"regularizers": ["graddrop", "metamix"], "metamix_depths": ["0", "1"], "mask": "width"},
]


def again(made):
    return Experiment.from_json(json.loads(json.dumps(made.to_json())))


def built(made):
    """The learner of an experiment, on Keras's first names of layers."""
    keras.backend.clear_session()
    return build_learner(made, TASKS)


def described(learner):
    return json.dumps(keras.saving.serialize_keras_object(learner), default=str)


@pytest.mark.parametrize("flags", MADE, ids=lambda flags: flags.get("learner", "fomaml"))
def test_the_same_learner_is_built_from_json_alone(flags):
    made = make(filters=2, **flags)
    assert again(made) == made
    first, second = built(made), built(again(made))
    assert described(first) == described(second)
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_fields_that_an_earlier_version_did_not_write_keep_their_defaults():
    saved = make(data="sinusoids").to_json()
    assert saved.pop("test_phase") is None
    assert Experiment.from_json(saved) == make(data="sinusoids")


def test_all_arguments_are_in_it_whatever_defaults_become():
    learner = make(learner="reptile").learner
    assert learner.constructor == "tfmgaug.learners.Reptile"
    assert learner.arguments["inner_steps"] == 8
    assert learner.arguments["inner_reduction"] == "mean"
    assert isinstance(learner.arguments["inner_optimizer"], Part)


def test_reptile_is_the_same_as_by_its_constructor_alone():
    made = built(make(learner="reptile", mask="none", filters=2))
    plain = tfmgaug.learners.Reptile(made.backbone)
    ours, alone = made.get_config(), plain.get_config()
    for name in ("inner_steps", "inner_learning_rate", "inner_optimizer", "inner_batch"):
        assert json.dumps(ours[name]) == json.dumps(alone[name]), name


def test_values_that_go_together_with_a_choice_give_way_to_flags():
    context = make(learner="cavia").backbone.arguments["context"]
    assert context == registry.BACKBONES.rows["conv4"].combined["context"][0]
    assert make(learner="cavia", context=7).backbone.arguments["context"] == 7
    rates = {name: make(learner=name).augmentation.arguments["mask"].arguments["rates"]
             for name in ("fomaml", "protonet")}  # fmt: skip
    assert rates == {"fomaml": [0.001, 0.02], "protonet": [0.01, 0.03]}


def test_a_constructor_s_default_holds_where_the_recipe_is_silent():
    assert "distance" not in recipes.QUICKSTART
    assert make(learner="protonet").learner.arguments["distance"] == "euclidean"
    assert make(learner="protonet").learner.arguments["scale"] == 10


def test_the_version_is_the_package_s():
    assert tfmgaug.__version__ == experiment.VERSION


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().way = 3


def test_that_of_another_version_is_refused_with_its_name():
    saved = make().to_json()
    with pytest.raises(ValueError, match="format 9, written by tfmgaug 8.1.*Open it with"):
        Experiment.from_json({**saved, "format": 9, "version": "8.1"})
    with pytest.raises(ValueError, match="with colour. Open it"):
        Experiment.from_json({**saved, "colour": 1})


def test_a_run_of_version_0_1_has_flags_alone(tmp_path):
    new = ("activation", "first_order", "inner_beta_2", "inner_epsilon", "measure_before")
    new += ("pooling", "scale")
    flags = {name: value for name, value in values().items() if name not in new}
    silent = {"svm_cost": None, "taml_form": None, "momentum": None}
    (tmp_path / "flags.json").write_text(json.dumps({**flags, **silent, "way": 3}))
    assert loading.load_experiment(tmp_path) == make(way=3)


def test_an_earlier_run_of_reptile_had_plain_steps_where_it_named_no_optimizer(tmp_path):
    flags = {**values(learner="reptile"), "inner_optimizer": None}
    (tmp_path / "flags.json").write_text(json.dumps(flags))
    optimizer = loading.load_experiment(tmp_path).learner.arguments["inner_optimizer"]
    assert (optimizer.name, optimizer.arguments) == ("sgd", {"momentum": 0.0})


def test_a_folder_of_something_else_holds_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no run: .*experiment.json is missing"):
        loading.load_experiment(tmp_path)
