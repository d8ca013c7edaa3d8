"""Messages about progress, by a clock that tests set."""

import io
import sys

import pytest

from launch import progress
from launch.progress import Counter, Pulse
from launch.reproduction.training import Screen


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def count(seconds, total=600, batch=20, stream=None, first=0.0, **options):
    """Counts batches that take so many seconds each, and the first some more."""
    clock, stream = Clock(), stream or io.StringIO()
    clock.now = -first
    counter = Counter("Evaluating A", "episodes", stream=stream, clock=clock, **options)
    for done in range(batch, total + 1, batch):
        clock.now += seconds + (first if done == batch else 0.0)
        counter(done, total)
    return stream.getvalue().split("\n")[:-1] if not stream.isatty() else stream.getvalue()


def test_short_work_says_nothing_in_a_log():
    assert count(0.5) == []


def test_long_work_is_estimated_from_its_first_measured_batch_and_ends_with_a_total():
    lines = count(4.0, first=60.0)
    # What the first batch takes longer, for tracing, is not taken for what every batch takes.
    assert lines[0] == "Evaluating A: 20/600 episodes"
    assert lines[1] == "Evaluating A: about 3 min"
    assert lines[2] == "Evaluating A: 140/600 episodes, 2 min left"
    assert lines[-1] == "Evaluating A: 600 episodes in 3 min"
    assert len(lines) == 2 + 5 + 1  # every 20 s: five batches


def test_what_follows_counts_when_work_is_announced():
    assert not any("about" in line for line in count(1.5))
    assert count(1.5, more=1)[0] == "Evaluating A: about 45 s, and as long for each of 1 more"


def test_a_terminal_has_one_line_that_is_redrawn_and_wiped():
    drawn = count(4.0, total=60, stream=Terminal()).split("\r")
    assert drawn[1] == "Evaluating A: 20/60 episodes"
    assert drawn[2].rstrip() == "Evaluating A: 40/60 episodes, 4 s left"
    assert drawn[-2:] == [" " * len(drawn[2]), ""]


def test_a_log_hears_every_half_minute_that_a_command_is_at_work():
    clock, stream = Clock(), io.StringIO()
    pulse = Pulse(stream, clock)
    for clock.now in range(0, 60):
        if clock.now == 10:
            pulse.hear("epoch 1/3\n")
        pulse.beat()
    assert stream.getvalue() == "Still at work, 40 s so far, after: epoch 1/3\n"
    for clock.now in range(60, 72):
        pulse.beat()
    assert stream.getvalue().count("\n") == 2


def test_all_that_is_printed_is_heard_and_nothing_is_lost(monkeypatch):
    stream, heard = io.StringIO(), []
    monkeypatch.setattr(Pulse, "hear", lambda self, text: heard.append(text))
    monkeypatch.setattr(sys, "stdout", stream)

    @progress.pulse()
    def stop():
        sys.stdout.write("a line\n")
        sys.stdout.flush()
        raise KeyError

    with pytest.raises(KeyError):
        stop()
    sys.stdout.write("after\n")
    assert stream.getvalue() == "a line\nafter\n"
    assert "".join(heard) == "a line\n"


def test_lines_that_another_replaces_are_written_now_and_then_in_a_log():
    clock, stream = Clock(), io.StringIO()
    screen = Screen(stream, clock)
    for clock.now in range(0, 100, 5):
        screen(f"step {clock.now}", True)
    assert stream.getvalue().split() == ["step", "30", "step", "60", "step", "90"]
