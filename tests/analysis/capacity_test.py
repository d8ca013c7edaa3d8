import json
import math

import pytest

from tfmgaug.analysis import capacity_order

ARGUMENTS = {"kept": 40, "parameters": 100, "tasks": 400, "radius": 3.0, "inner_rate": 0.5}


def test_it_is_the_expression_of_the_theorem():
    found = capacity_order(**ARGUMENTS, lipschitz=2.0, smoothness=4.0, bound=5.0, delta=0.1)
    inside = 100 * math.sqrt(400) * 2 * 3 * (1 + 0.5 * 4) / 5
    for order, number in ((found.sparse, 40), (found.dense, 100)):
        expected = 5 * math.sqrt((number * math.log(inside / number) + math.log(10)) / 400)
        assert order == pytest.approx(expected, rel=1e-12)
    assert found.ratio == found.sparse / found.dense < 1
    assert "k = 40 parameters kept" in str(found)
    assert json.loads(json.dumps(found.to_json()))["arguments"]["G"] == 2.0


def test_nothing_pruned_is_the_dense_order():
    found = capacity_order(**{**ARGUMENTS, "kept": 100})
    assert found.sparse == found.dense


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kept": 101}, "1 <= kept <= parameters"),
        ({"kept": 0}, "1 <= kept <= parameters"),
        ({"tasks": 0}, "tasks >= 1"),
        ({"radius": 0.0}, "radius, lipschitz, bound > 0"),
        ({"delta": 1.0}, "delta in"),
        ({"radius": 1e-6}, "needs p sqrt"),
    ],
)
def test_what_is_out_of_range_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        capacity_order(**{**ARGUMENTS, **changes})
