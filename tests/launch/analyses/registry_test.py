"""The contract of an analysis, which it joins by its row: its signature is its flags."""

import importlib
import inspect
import pathlib
import re

import pytest

from launch import analysis_flags
from launch.analyses.registry import ANALYSES, module
from launch.argument_types import type_of
from launch.experiment import Data
from launch.registry import MASKED
from launch.signatures import first_line

ROOT = pathlib.Path(__file__).parents[3]
FLAGS = analysis_flags.readers()


def function_of(name):
    return importlib.import_module(module(name)).analyze


def handed_on(function):
    """The function that an analysis hands its `**` arguments on to, as its docstring says."""
    path = re.search(r"\*\*\w+: of `(\S+)`", inspect.getdoc(function))
    if path is None:
        return None
    package, _, name = path[1].rpartition(".")
    return getattr(importlib.import_module(package), name)


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_takes_runs_and_its_flags_by_keyword(name):
    runs, *options = inspect.signature(function_of(name)).parameters.values()
    assert runs.name == "runs"
    assert all(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in options)
    assert (handed_on(function_of(name)) is not None) == any(
        option.kind == option.VAR_KEYWORD for option in options
    )


@pytest.mark.parametrize("name", ANALYSES)
def test_what_is_read_from_the_source_are_the_arguments_and_defaults(name):
    function = function_of(name)
    parameters = dict(inspect.signature(function).parameters)
    if handed_on(function):
        parameters = {**inspect.signature(handed_on(function)).parameters, **parameters}
    for flag, argument in analysis_flags.arguments_of(name).items():
        assert argument.default == parameters[flag].default


@pytest.mark.parametrize("name", ANALYSES)
def test_help_says_in_a_line_what_an_analysis_is(name):
    line = first_line(module(name))
    assert line.endswith(".")
    assert f"{name} " in analysis_flags.listing()
    assert line.rstrip(".") in analysis_flags.listing()
    assert all(len(row) <= 100 for row in analysis_flags.listing().splitlines())


@pytest.mark.parametrize("flag", FLAGS)
def test_all_that_read_a_flag_take_the_same_type_and_say_what_it_is(flag):
    types = [type_of(argument) for argument in FLAGS[flag].values()]
    assert len({(kind.kind, kind.several) for kind in types}) == 1
    assert all(argument.text for argument in FLAGS[flag].values())
    assert all(name in analysis_flags.help_text(flag) for name in FLAGS[flag])


def test_flags_of_analyses_and_of_the_data_have_different_names():
    assert not set(FLAGS) & set(Data.__dataclass_fields__)
    assert not set(FLAGS) & set(analysis_flags.arguments_of_command())


def test_masks_are_those_that_a_network_can_be_pruned_with():
    assert analysis_flags.type_of_flag("masks").choices == MASKED


def test_the_documentation_has_all_analyses_and_no_others():
    pages = "\n".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    commands = re.findall(r"launch\.analyze (\w+)", pages)
    assert set(commands) <= set(ANALYSES)
    assert [name for name in ANALYSES if f"`{name}`" not in pages and name not in commands] == []


def test_help_says_whose_default_is_which_where_they_differ():
    text = analysis_flags.help_text("episodes")
    assert "60 of landscape; 2 of gradients." in text
    assert "Defaults" not in analysis_flags.help_text("masks")
