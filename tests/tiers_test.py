"""The tiers of the tests: what is named in the list exists, and tests are sorted by it."""

import ast
import pathlib
import re
import tomllib

import pytest

from tests.helpers import tiers

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent
NAMES = [(file, name) for file, tests in tiers.INTEGRATION.items() for name in tests.names]


@pytest.mark.parametrize(("file", "name"), NAMES)
def test_what_is_named_exists(file, name):
    tree = ast.parse((TESTS / file).read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert name.partition("[")[0] in functions


def test_of_a_long_file_all_but_a_few_are_integration_tests():
    tests = tiers.everything_but("test_a", "test_b[x-*]")
    assert "test_a" not in tests
    assert "test_a[1]" not in tests
    assert "test_b[x-1]" not in tests
    assert "test_b[y-1]" in tests
    assert "test_ab" in tests


def test_of_other_files_a_few_are():
    tests = tiers.only("test_a")
    assert "test_a[1]" in tests
    assert "test_b" not in tests


def test_files_that_are_not_listed_are_in_the_default_tier():
    assert not tiers.is_integration("tiers_test.py", "test_what_is_named_exists")


def test_continuous_integration_runs_the_two_commands_of_the_readme():
    lines = (ROOT / "README.md").read_text().splitlines()
    patterns = re.findall(r"grep -m 1 '(.*?)' README.md", (ROOT / ".ci" / "run").read_text())
    default, integration = ([line for line in lines if re.match(p, line)] for p in patterns)
    assert len(default) == len(integration) == 1
    for check in ("ruff check .", "ruff format --check .", "mypy", "pytest"):
        assert f".venv/bin/{check}" in default[0]
    assert integration == [".venv/bin/pytest -m integration"]


def test_the_default_command_leaves_out_the_other_two_tiers():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert "not integration and not slow" in options["addopts"]
    assert {mark.partition(":")[0] for mark in options["markers"]} == {"integration", "slow"}
