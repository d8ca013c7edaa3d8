import errno
import json
import os

import numpy as np
import pytest

from tests.helpers.short_training import STEPS, learner, train
from tfmgaug import MGAug
from tfmgaug.callbacks import Checkpoint, NonFiniteError, restore
from tfmgaug.callbacks.checkpoint import BEST, HISTORY, LAST
from tfmgaug.masks import ParameterMask


class StubLearner:
    """Writes its step instead of weights."""

    meta_variables = ()
    optimizer = "compiled"

    def __init__(self, step=0):
        self.step = step

    def save_weights(self, path):
        path.write(str(self.step).encode())

    def load_weights(self, path):
        self.step = int(path.read_text())


def run(callback, *epochs):
    """Feeds epochs, each a dictionary of logs, to the callback of a stub."""
    callback.set_model(StubLearner(10 * len(callback.history)))
    for logs in epochs:
        callback.model.step += 10
        callback.on_epoch_end(len(callback.history), logs)


def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(tmp_path):
    def augmented():
        return learner(augmentation=MGAug(ParameterMask(rates=(0.1, 0.5)), subnetworks=1))

    whole = augmented()
    expected = train(whole, [Checkpoint(tmp_path / "whole")], epochs=3).history
    train(augmented(), [Checkpoint(tmp_path / "killed")], epochs=2)
    resumed = augmented()
    epoch, history = restore(resumed, tmp_path / "killed")
    assert (epoch, int(resumed.step)) == (2, 2 * STEPS)
    train(resumed, [Checkpoint(tmp_path / "killed", history)], epochs=3, epoch=epoch)
    for one, other in zip(whole.variables, resumed.variables, strict=True):
        if "metric" not in one.path:
            np.testing.assert_array_equal(one.value.numpy(), other.value.numpy(), one.path)
    for one, other in zip(whole.optimizer.variables, resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.value.numpy(), other.value.numpy(), one.path)
    rows = json.loads((tmp_path / "killed" / HISTORY).read_text())
    assert rows == json.loads((tmp_path / "whole" / HISTORY).read_text())
    assert [row["val_loss"] for row in rows] == expected["val_loss"]


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val_accuracy", [0.5, 0.9, 0.7], 20),
        ("val_accuracy", [0.5, 0.5, 0.5], 10),
        ("val_loss", [0.5, 0.2, 0.7], 20),
        ("val_loss", [float("nan"), 0.2, float("nan")], 20),
    ],
)
def test_best_is_the_first_of_the_best_epochs(tmp_path, monitor, values, best):
    run(Checkpoint(tmp_path), *({monitor: value} for value in values))
    assert (tmp_path / BEST).read_text() == str(best)
    assert (tmp_path / LAST).read_text() == "30"


def test_accuracy_decides_where_there_is_one(tmp_path):
    logs = {"val_accuracy": 0.5, "val_loss": 1.0}, {"val_accuracy": 0.4, "val_loss": 0.5}
    run(Checkpoint(tmp_path), *logs)
    assert (tmp_path / BEST).read_text() == "10"


def test_the_best_of_before_is_remembered_after_resuming(tmp_path):
    run(Checkpoint(tmp_path), {"val_accuracy": 0.9})
    _, history = restore(StubLearner(), tmp_path)
    run(Checkpoint(tmp_path, history), {"val_accuracy": 0.8})
    assert (tmp_path / BEST).read_text() == "10"


def test_a_kill_between_history_and_weights_forgets_the_newer_row(tmp_path):
    run(Checkpoint(tmp_path), {"loss": 1.0}, {"loss": 0.5})
    (tmp_path / LAST).write_text("10")
    epoch, history = restore(StubLearner(), tmp_path)
    assert epoch == 1
    assert history == [{"epoch": 0, "step": 10, "loss": 1.0}]


@pytest.mark.parametrize("killed_at", [BEST, HISTORY, LAST])
def test_a_failing_write_leaves_the_epoch_before(tmp_path, killed_at, monkeypatch):
    run(Checkpoint(tmp_path), {"val_accuracy": 0.1})
    replace = os.replace

    def killed(source, target):
        if target.name == killed_at:
            raise KeyboardInterrupt
        replace(source, target)

    _, history = restore(StubLearner(), tmp_path)
    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint(tmp_path, history), {"val_accuracy": 0.2})
    epoch, history = restore(StubLearner(), tmp_path)
    assert (epoch, len(history)) == (1, 1)
    assert {file.name for file in tmp_path.iterdir()} == {BEST, HISTORY, LAST}


def test_a_checkpoint_is_not_overwritten_by_accident(tmp_path):
    run(Checkpoint(tmp_path), {"loss": 1.0})
    with pytest.raises(ValueError, match="holds a checkpoint"):
        Checkpoint(tmp_path)
    run(Checkpoint(tmp_path, overwrite=True), {"loss": 2.0})
    assert len(json.loads((tmp_path / HISTORY).read_text())) == 1


@pytest.mark.parametrize("left", [(BEST,), (BEST, HISTORY), (HISTORY,)])
def test_what_is_left_of_a_checkpoint_is_not_overwritten_by_accident(left, tmp_path):
    run(Checkpoint(tmp_path), {"val_loss": 1.0}, {"val_loss": 2.0})
    for name in {BEST, HISTORY, LAST} - set(left):
        (tmp_path / name).unlink()
    with pytest.raises(ValueError, match="holds a checkpoint"):
        Checkpoint(tmp_path)


def test_the_checkpoint_of_another_run_is_not_continued(tmp_path):
    run(Checkpoint(tmp_path / "one"), {"loss": 1.0})
    run(Checkpoint(tmp_path / "other"), {"loss": 2.0}, {"loss": 1.0})
    _, history = restore(StubLearner(), tmp_path / "one")
    with pytest.raises(ValueError, match="other holds a checkpoint"):
        Checkpoint(tmp_path / "other", history)
    run(Checkpoint(tmp_path / "copied", history), {"loss": 0.5})
    assert len(restore(StubLearner(), tmp_path / "copied")[1]) == 2


@pytest.mark.parametrize("full_at", [HISTORY, BEST, LAST])
def test_a_full_disk_in_the_first_epoch_leaves_nothing_in_the_way(full_at, tmp_path, monkeypatch):
    replace = os.replace

    def full(source, target):
        if target.name == full_at:
            raise OSError(errno.ENOSPC, "full")
        replace(source, target)

    monkeypatch.setattr("os.replace", full)
    words = f"{full_at} cannot be written: No space left .* No epoch has been saved"
    with pytest.raises(OSError, match=words):
        run(Checkpoint(tmp_path), {"val_loss": 1.0})
    monkeypatch.undo()
    run(Checkpoint(tmp_path), {"val_loss": 1.0})
    assert restore(StubLearner(), tmp_path)[0] == 1


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    model = learner()
    checkpoint = Checkpoint(tmp_path)
    checkpoint.set_model(model)
    kernel = model.meta_variables[0]
    kernel.assign(kernel.value * np.nan)
    with pytest.raises(NonFiniteError, match="kernel is not finite"):
        checkpoint.on_epoch_end(0, {"loss": 1.0})
    assert not list(tmp_path.iterdir())


def test_nothing_to_restore_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        restore(StubLearner(), tmp_path)
    run(Checkpoint(tmp_path), {"loss": 1.0})
    uncompiled = StubLearner()
    uncompiled.optimizer = None
    with pytest.raises(ValueError, match="compile"):
        restore(uncompiled, tmp_path)
