from types import SimpleNamespace

import pytest

from launch.given_flags import GIVEN, idle, read_with, refuse_idle

SETTINGS = SimpleNamespace(rate=0.0, steps=None, on=False, head="svm", kinds=["a", "b"])


@pytest.mark.parametrize(
    ("switches", "read"),
    [
        ({"head": ("svm", "ridge")}, True),
        ({"head": ("ridge",)}, False),
        ({"steps": (None, 3)}, True),
        ({"steps": GIVEN}, False),
        ({"on": GIVEN}, False),
        ({"on": (False,)}, True),
        ({"kinds": ("b", "c")}, True),
        ({"kinds": ("c",)}, False),
        ({"head": ("svm",), "on": GIVEN}, False),
    ],
)
def test_a_flag_is_read_when_all_its_switches_are_on(switches, read):
    assert (idle(SETTINGS, ["rate"], {"rate": read_with(**switches)}) == {}) == read
    assert idle(SETTINGS, [], {"rate": read_with(**switches)}) == {}


def test_flags_that_nothing_reads_are_named_with_what_would_read_them():
    tables = dict.fromkeys(("rate", "on"), read_with(head=("ridge", "none", None)))
    tables["share"] = read_with(steps=GIVEN)
    message = (
        "^These flags belong to --head=ridge or none. Received: --rate, --on with --head=svm. "
        "This flag belongs to --steps. Received: --share without --steps.$"
    )
    with pytest.raises(ValueError, match=message):
        refuse_idle(SETTINGS, ["rate", "on", "share", "head"], tables)
    refuse_idle(SETTINGS, ["head", "kinds"], tables)
