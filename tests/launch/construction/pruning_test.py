from types import SimpleNamespace

import pytest

from launch import checks
from launch.construction.building import build
from launch.construction.callbacks import build_schedules
from tests.launch.experiments import make
from tfmgaug.callbacks import DSD, IHT

FLAGS = ("rates", "dense", "sparse", "retrain", "rounds")


def options(pruning="none", **given):
    found = {f"pruning_{name}": value for name, value in given.items()}
    return make(pruning=pruning, epochs=10, steps_per_epoch=10, **found)


def schedule(pruning, **given):
    flags = {f"pruning_{name}": given.get(name) for name in FLAGS} | {"pruning_rates": ["0.4"]}
    checks._pruning(SimpleNamespace(pruning=pruning, **flags))
    (found,) = build_schedules(options(pruning, rates=["0.4"], **given))
    return found


def test_without_pruning_there_is_no_mask():
    assert options().magnitude_mask is None
    assert build_schedules(options()) == []


def test_rates_are_one_number_or_one_a_kernel():
    shape = {"dense": 3, "sparse": 4}
    one, several = (
        build(options("dsd", rates=rates, **shape).magnitude_mask)
        for rates in (["0.4"], ["0.1", "0.2"])
    )
    assert one.rates == 0.4
    assert several.rates == [0.1, 0.2]


def test_lengths_reach_the_schedules():
    dsd, sparse = schedule("dsd", dense=3, sparse=4), schedule("dsd", dense=3, sparse=4, retrain=0)
    assert (type(dsd), dsd.starts, sparse.starts) == (DSD, [3, 7], [3])
    iht = schedule("iht", dense=3, sparse=4, retrain=5, rounds=2)
    assert (type(iht), iht.starts) == (IHT, [3, 7, 12, 16])
    assert len(schedule("iht", dense=0, sparse=4, retrain=5).starts) == 8
    assert schedule("iht", dense=3, sparse=4, retrain=0, rounds=1).starts == [3]


@pytest.mark.parametrize(
    ("pruning", "given", "message"),
    [
        ("dsd", {"dense": 3}, "--pruning=dsd needs --pruning_sparse"),
        ("iht", {"dense": 3, "sparse": 3}, "--pruning=iht needs --pruning_retrain"),
        ("dsd", {"dense": 3, "sparse": 3, "retrain": 5}, "--pruning_retrain=0 alone"),
        ("dsd", {"dense": 3, "sparse": 97}, r"before training ends, after 100.*\[3, 100\]"),
        ("dsd", {"dense": -1, "sparse": 3}, "a phase must be an int >= 0"),
    ],
)
def test_what_does_not_fit_is_refused(pruning, given, message):
    with pytest.raises(ValueError, match=message):
        schedule(pruning, **given)
