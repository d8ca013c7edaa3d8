"""Runs of earlier versions: their flags and experiments mean what they meant."""

import pytest

from launch import constructor_flags, earlier, settings
from launch.experiment import Experiment
from launch.reproduction import composition
from tests.launch.experiments import make, values


def test_renamed_flags_are_no_flags_and_what_they_are_called_now_are():
    values()  # which defines the flags
    names = {*earlier.RENAMED, *earlier.BECAME}
    assert not names & set(settings.names())
    for name in names:
        flag, _, value = earlier.successor(name).partition("=")
        assert flag in settings.names()
        assert not value or value in constructor_flags.choices(flag)


def test_flags_of_an_earlier_run_are_read_by_their_names_of_now():
    now = values(mask="catfish", mask_score="meta_gradient", pooling="strided")
    then = {**now, "catfish_score": "meta_gradient", "strided": True, "pooling": "max"}
    del then["mask_score"]
    assert earlier.flags(then) == now
    assert earlier.flags(now) == now


def test_an_earlier_run_did_what_there_was_no_flag_for():
    now = values()
    then = {name: value for name, value in now.items() if name not in earlier.ADDED}
    assert earlier.flags(then) == now


def test_a_new_setting_of_a_recipe_is_a_difference_to_an_earlier_run():
    then = {name: value for name, value in values().items() if name not in earlier.ADDED}
    planned = values(normalization_epsilon=1e-5)
    changes = composition.changes(earlier.flags(then), planned)
    assert changes == ["--normalization_epsilon=0.001 (1e-05)"]


def test_earlier_fine_tuning_shares_one_head_among_its_tasks():
    now = values(learner="fine_tuning", mask="none")
    assert now["task_head"] in (None, "per_task")
    then = {name: value for name, value in now.items() if name != "task_head"}
    assert earlier.flags(then) == {**now, "task_head": "shared"}
    built = make(learner="fine_tuning", mask="none")
    saved = built.to_json()
    assert saved["learner"]["arguments"].pop("task_head") == "per_task"
    assert Experiment.from_json(saved).learner.arguments["task_head"] == "shared"
    assert Experiment.from_json(built.to_json()) == built


@pytest.mark.parametrize(("strided", "pooling"), [(True, "strided"), (False, "max")])
def test_an_earlier_experiment_is_rebuilt(strided, pooling):
    now = make(pooling=pooling)
    then = now.to_json()
    arguments = {**then["backbone"]["arguments"], "strided": strided}
    del arguments["pooling"]
    then["backbone"] = {
        "name": "conv4",
        "constructor": "launch.construction.networks.conv4",
        "arguments": arguments,
    }
    assert Experiment.from_json(then) == now
