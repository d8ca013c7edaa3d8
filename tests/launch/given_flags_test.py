from types import SimpleNamespace

import pytest

from launch.given_flags import arguments, given, refuse

SETTINGS = SimpleNamespace(rate=0.0, steps=None, on=False, head="svm")


def test_what_is_none_was_not_given_and_zero_and_no_were():
    assert list(given(SETTINGS, ("head", "steps", "on", "rate")).items()) == [
        ("head", "svm"),
        ("on", False),
        ("rate", 0.0),
    ]


def test_arguments_have_the_names_of_the_constructor():
    assert arguments(SETTINGS, {"share": "rate", "count": "steps"}) == {"share": 0.0}


def test_flags_that_nothing_reads_are_named():
    refuse([], "--learner=a", "--learner=b")
    message = "^These flags belong to --learner=a. Received: --rate, --head with --learner=b.$"
    with pytest.raises(ValueError, match=message):
        refuse(["rate", "head"], "--learner=a", "--learner=b")
