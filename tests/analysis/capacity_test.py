import json
import math

import pytest

from tfmgaug.analysis import capacity_order

ARGUMENTS = {"kept": 40, "parameters": 100, "tasks": 400, "radius": 3.0, "inner_rate": 0.5}


def test_it_is_the_expression_of_the_theorem():
    order = capacity_order(**ARGUMENTS, lipschitz=2.0, smoothness=4.0, bound=5.0, delta=0.1)
    inside = 100 * math.sqrt(400) * 2 * 3 * (1 + 0.5 * 4) / 5
    for value, number in ((order.sparse, 40), (order.dense, 100)):
        expected = 5 * math.sqrt((number * math.log(inside / number) + math.log(10)) / 400)
        assert value == pytest.approx(expected, rel=1e-12)
    assert order.ratio == order.sparse / order.dense < 1
    assert "k = 40 parameters kept" in str(order)
    assert json.loads(json.dumps(order.to_json()))["arguments"]["G"] == 2.0


def test_nothing_pruned_is_the_dense_order():
    order = capacity_order(**{**ARGUMENTS, "kept": 100})
    assert order.sparse == order.dense


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
