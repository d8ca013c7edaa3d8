import json

import numpy as np
import pytest

from tests.helpers.short_training import learner, sampler, train
from tfmgaug.analysis import TaskGradients
from tfmgaug.analysis.task_gradients import MEASURES
from tfmgaug.backbones import mlp
from tfmgaug.callbacks import Checkpoint, GradientNorms, TensorBoard, restore
from tfmgaug.learners import ProtoNet

WEIGHTS = ("dense1_kernel", "head_kernel")
LOGS = {f"gradient_{measure}/{w}" for measure in MEASURES for w in WEIGHTS}


def callbacks(folder, history=(), every=2):
    norms = GradientNorms(sampler(), every=every, episodes=4)
    return [norms, Checkpoint(folder, history), TensorBoard(folder / "events")]


def measured(history):
    return {row["epoch"]: {k: v for k, v in row.items() if k in LOGS} for row in history}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    own = learner(1e-2)
    train(own, callbacks(folder), epochs=4, validate=False)
    return folder, own


def test_every_so_many_epochs_the_history_has_a_value_for_each_weight(whole):
    folder, own = whole
    found = measured(json.loads((folder / "history.json").read_text()))
    assert [set(found[epoch]) for epoch in range(4)] == [set(), LOGS, set(), LOGS]
    now = TaskGradients(own, sampler(), episodes=4)()
    for name, value in found[3].items():
        measure, weight = name.removeprefix("gradient_").split("/")
        assert value == pytest.approx(now.summary(measure, weight).mean, rel=1e-6)
    assert found[1] != found[3]


def test_tensorboard_has_a_curve_for_each_weight(whole):
    from tests.callbacks.tensorboard_test import curve

    steps, values = curve(whole[0] / "events" / "train", "gradient_mean_absolute/head_kernel")
    history = json.loads((whole[0] / "history.json").read_text())
    assert steps == [history[1]["step"], history[3]["step"]]
    expected = [history[epoch]["gradient_mean_absolute/head_kernel"] for epoch in (1, 3)]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_measuring_changes_nothing_and_a_resumed_run_measures_the_same(whole, tmp_path):
    train(learner(1e-2), callbacks(tmp_path), epochs=3, validate=False)
    resumed = learner(1e-2)
    epoch, history = restore(resumed, tmp_path)
    train(resumed, callbacks(tmp_path, history), epochs=4, epoch=epoch, validate=False)
    rows = [json.loads((path / "history.json").read_text()) for path in (whole[0], tmp_path)]
    assert measured(rows[0]) == measured(rows[1])
    without = learner(1e-2)
    train(without, [], epochs=4, validate=False)
    for one, other in zip(whole[1].meta_variables, without.meta_variables, strict=True):
        np.testing.assert_array_equal(one.value, other.value, one.path)


def test_learners_without_an_inner_loop_and_empty_intervals_are_refused():
    with pytest.raises(ValueError, match="`every` must be an int >= 1"):
        GradientNorms(sampler(), every=0)
    callback = GradientNorms(sampler())
    callback.set_model(ProtoNet(mlp(None, (8, 8, 1), hidden=(4,))))
    with pytest.raises(ValueError, match="without inner steps"):
        callback.on_train_begin()
