"""What is read from source files is what Python says of the classes and functions themselves."""

import inspect
import textwrap

import pytest

from launch import constructor_flags, registry
from launch.argument_types import type_of
from launch.construction.building import constructor_of
from launch.signatures import REQUIRED, Argument, read

PATHS = sorted({row.constructor for row, _ in registry.rows()})
VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def parameters(constructor):
    found = inspect.signature(constructor).parameters.values()
    return [p for p in found if p.kind not in VARIABLE and p.name != "self"]


@pytest.mark.parametrize("path", PATHS)
def test_arguments_and_defaults_are_the_signature_s(path):
    arguments = read(path).arguments
    expected = {p.name: p.default for p in parameters(constructor_of(path))}
    assert dict(list(arguments.items())[: len(expected)]).keys() == expected.keys()
    for name, default in expected.items():
        assert arguments[name].default == default
        assert type(arguments[name].default) is type(default)


@pytest.mark.parametrize("path", PATHS)
def test_what_keywords_hand_on_is_taken_and_nothing_else_is(path):
    constructor = constructor_of(path)
    own = {p.name for p in parameters(constructor)}
    inherited = {n: a for n, a in read(path).arguments.items() if n not in own}
    if not isinstance(constructor, type):
        return
    known = {}
    for base in reversed(constructor.__mro__):
        if base.__module__.startswith("tfmgaug") and "__init__" in vars(base):
            known.update((p.name, p.default) for p in parameters(base.__init__))
    assert {n: a.default for n, a in inherited.items()} == {n: known[n] for n in inherited}


@pytest.mark.parametrize("path", PATHS)
def test_texts_are_the_docstring_s(path):
    constructor = constructor_of(path)
    classes = constructor.__mro__ if isinstance(constructor, type) else [constructor]
    documented = " ".join(" ".join(inspect.getdoc(one) or "" for one in classes).split())
    for parameter in parameters(constructor):
        argument = read(path).arguments[parameter.name]
        assert argument.text, f"{path} says nothing of `{parameter.name}`."
        assert f"{parameter.name}: {argument.text}" in documented


@pytest.mark.parametrize("flag", constructor_flags.uses())
def test_all_that_read_a_flag_take_the_same_type_and_the_help_says_something(flag):
    first, *others = constructor_flags.uses()[flag]
    assert all(use.type.kind is first.type.kind for use in others)
    assert len(constructor_flags.help_text(flag)) > 10


@pytest.mark.parametrize(
    ("text", "default", "annotation", "expected"),
    [
        ("int >= 2, classes.", REQUIRED, None, (int, False, None, 2, None)),
        ("float in [0, 1), share.", 0.5, None, (float, False, None, 0, 1)),
        ("list of ints >= 1, depths.", None, None, (int, True, None, 1, None)),
        ("sizes.", (1, 2), None, (int, True, None, None, None)),
        ("factor.", 1, "float", (float, False, None, None, None)),
        ("whether.", None, "bool | None", (bool, False, None, None, None)),
        ('"a" or "b".', "a", None, (str, False, ("a", "b"), None, None)),
        ("which.", "a", "Literal['a', 'c']", (str, False, ("a", "c"), None, None)),
    ],
)
def test_types_are_the_annotation_s_or_the_docstring_s(text, default, annotation, expected):
    assert type_of(Argument("x", default, annotation, text))[:5] == expected


def test_an_argument_of_no_type_is_refused():
    with pytest.raises(ValueError, match="Expected an annotation of `x`, or a docstring"):
        type_of(Argument("x", None, None, "Something."))


def test_unknown_paths_are_refused():
    for path in ("tfmgaug.learners.MAMAL", "tfmgaug.learnr.MAML", "json.loads.x"):
        with pytest.raises(ValueError, match="Expected the path of a class or function"):
            read(path)


def test_nothing_is_imported(tmp_path, monkeypatch):
    (tmp_path / "never_imported.py").write_text(
        textwrap.dedent(
            '''
            raise RuntimeError("This was imported.")

            class A:
                """Args:
                    x: int.
                """
                def __init__(self, x=2 / 4):
                    pass
            '''
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert read("never_imported.A").arguments["x"].default == 0.5
