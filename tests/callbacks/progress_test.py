import io
import re

import pytest

from tests.helpers.short_training import learner, train
from tfmgaug.callbacks import Progress, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drive(stream, monkeypatch, epochs=3, steps=4, logs=None, initial=0, log_interval=1e9):
    """A clock where a step takes 2 s and a validation 10 s, but the first of each 50 s."""
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    callback = Progress(stream, log_interval=log_interval)
    callback.set_params({"epochs": epochs, "steps": steps})
    callback.on_train_begin()
    for epoch in range(initial, epochs):
        callback.on_epoch_begin(epoch)
        for step in range(steps or 4):
            clock[0] += 50 if epoch == initial and step == 0 else 2
            callback.on_train_batch_end(step, logs or {"loss": 1.0})
        clock[0] += 50 if epoch == initial else 10
        callback.on_epoch_end(epoch, logs or {"loss": 1.0})
    callback.on_train_end()


def test_a_log_file_gets_one_line_per_epoch(monkeypatch):
    stream = io.StringIO()
    logs = {"loss_before": 1.7, "loss": 0.5, "accuracy_before": 0.2, "accuracy": 0.81}
    drive(stream, monkeypatch, logs={**logs, "val_accuracy": 0.755})
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    expected = "epoch 1/3  loss 1.700 → 0.500  accuracy 20.0 → 81.0 %  validation 75.5 %"
    assert lines[0].startswith(expected)


def test_a_log_file_hears_of_long_epochs_every_half_minute(monkeypatch):
    stream = io.StringIO()
    drive(stream, monkeypatch, epochs=1, steps=40, log_interval=30.0)
    lines = [line.split("  ")[:2] for line in stream.getvalue().splitlines()]
    # The first step takes 50 s, the second promises 76 s more, and then 16 steps take 32 s.
    shown = [f"step {step}/40" for step in (1, 2, 18, 34)]
    assert [line[1] for line in lines[:-1]] == shown
    assert lines[-1] == ["epoch 1/1", "loss 1.000"]


def test_time_left_counts_steps_and_validations_of_the_whole_run(monkeypatch):
    stream = io.StringIO()
    drive(stream, monkeypatch, epochs=4)
    # An epoch of 4 * 2 + 10 seconds; tracing counts as long as there is no other validation.
    left = re.findall(r"(\S+) left", stream.getvalue())
    assert left == ["2:54", "0:36", "0:18", "0:00"]


def test_a_resumed_run_counts_only_what_is_left(monkeypatch):
    stream = io.StringIO()
    drive(stream, monkeypatch, epochs=4, initial=2)
    assert stream.getvalue().splitlines()[0].startswith("epoch 3/4")
    assert re.findall(r"(\S+) left", stream.getvalue()) == ["0:58", "0:00"]


def test_a_terminal_shows_a_bar_that_grows_and_wipes_longer_lines(monkeypatch):
    stream = Terminal()
    drive(stream, monkeypatch)
    drawn = stream.getvalue().split("\n")[0].split("\r")
    assert [text.count("━") for text in drawn[1:]] == [0, 5, 10, 15, 20, 20]
    assert "2/4" in drawn[3]
    assert stream.getvalue().count("\n") == 3


def test_a_shorter_line_wipes_the_longer_one_before():
    stream = Terminal()
    callback = Progress(stream, interval=-1)
    callback.set_params({"epochs": 1, "steps": 4})
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for step, loss in enumerate([12345.0, 1.0]):
        callback.on_train_batch_end(step, {"loss": loss})
    longer, shorter = stream.getvalue().split("\r")[2:]
    assert "12345" in longer
    assert len(shorter) >= len(longer.rstrip())


def test_streams_without_unicode_get_ascii(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    drive(stream, monkeypatch, logs={"loss_before": 1.0, "loss": 0.5})
    stream.seek(0)
    assert "loss 1.000 -> 0.500" in stream.read()


def test_unknown_lengths_and_regression_are_shown_as_far_as_known(monkeypatch):
    stream = Terminal()
    drive(stream, monkeypatch, steps=None, logs={"loss": 0.5, "val_loss": 0.75})
    assert stream.getvalue().rstrip().endswith("loss 0.500  validation loss 0.750")
    assert "left" not in stream.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(59.6, "1:00"), (61, "1:01"), (7260, "2 h 01 min")])
def test_durations_read_well(seconds, text):
    assert progress._duration(seconds) == text


def test_it_works_in_a_real_run(capsys):
    train(learner(), [Progress()], epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(
        r"epoch 2/2  loss \S+ → \S+  accuracy \S+ → \S+ %  validation \S+ %  \S+ left", lines[1]
    )
