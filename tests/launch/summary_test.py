import pytest

from launch import summary
from tests.launch.experiments import make

ALWAYS = ("transductive", "support")


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        ("transductive", ALWAYS),
        ("support", ALWAYS),
        ("running", ("running", *ALWAYS)),
        ("one_by_one", ("one_by_one", *ALWAYS)),
    ],
)
def test_what_is_asked_for_heads_the_report_where_others_do_not_have_it(statistics, expected):
    assert summary._modes(make(statistics=statistics)) == expected
