"""Estimates of how long runs will take, from finished runs of the same recipes."""

from types import SimpleNamespace

from launch.reproduction.cost import Forecast


def run(name, seconds=None, epochs_done=0):
    return SimpleNamespace(
        recipe=SimpleNamespace(name=name),
        report={"seconds": seconds},
        planned={"epochs": 4},
        epochs_done=epochs_done,
    )


def test_a_run_takes_as_long_as_those_of_its_recipe_did():
    forecast = Forecast([run("a", 100.0), run("a", 300.0), run("b", 5.0)])
    assert forecast.of(run("a")) == 200.0
    assert forecast.of(run("a", epochs_done=3)) == 50.0
    assert forecast.of(run("b")) == 5.0


def test_runs_at_the_same_time_take_no_less_than_the_longest():
    forecast = Forecast([run("a", 60.0), run("b", 600.0)], at_once=2)
    assert forecast.left([run("a")] * 4) == "about 2 min left"
    assert forecast.left([run("a"), run("b")]) == "about 10 min left"


def test_what_was_never_run_is_not_estimated():
    forecast = Forecast()
    assert forecast.of(run("a")) is None
    assert forecast.left([run("a"), run("a")]) == "time left not known yet"
    forecast.note(run("a"), 60.0)
    assert forecast.left([run("a"), run("a")]) == "about 2 min left"
    assert forecast.left([run("a"), run("b")]) == "more than 60 s left"
