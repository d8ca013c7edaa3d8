"""Public signatures say their types, outside of the modules that `pyproject.toml` still exempts."""

import ast
import fnmatch
import pathlib
import tomllib

ROOT = pathlib.Path(__file__).parents[1]


def exempt():
    """Returns patterns of modules, as mypy has them."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    return [name for row in overrides if row.get("ignore_errors") for name in row["module"]]


def signatures(source):
    """Yields (name, definition, whether it is called on an object or class) of what is public."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, False
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and (
                    method.name == "__init__" or not method.name.startswith("_")
                ):
                    static = "staticmethod" in map(ast.unparse, method.decorator_list)
                    yield f"{node.name}.{method.name}", method, not static


def is_annotated(definition, bound):
    named = definition.args.posonlyargs + definition.args.args
    named = named[1:] if bound else named
    stars = [a for a in (definition.args.vararg, definition.args.kwarg) if a is not None]
    arguments = [*named, *definition.args.kwonlyargs, *stars]
    return definition.returns is not None and all(a.annotation is not None for a in arguments)


def unannotated(exempt):
    missing = []
    for path in sorted((ROOT / "tfmgaug").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if not any(fnmatch.fnmatch(module, pattern) for pattern in exempt):
            found = signatures(path.read_text())
            missing += [f"{module}.{name}" for name, *one in found if not is_annotated(*one)]
    return missing


def test_public_signatures_are_annotated():
    assert unannotated(exempt()) == []


def test_what_is_missing_is_seen():
    source = "class A:\n    def f(self, x, *, y: int = 1) -> int: ...\n    def _g(self, x): ...\n"
    assert [(name, is_annotated(*one)) for name, *one in signatures(source)] == [("A.f", False)]
    source = "def f(x: int, *rest: int) -> int: ...\ndef g(x: int): ...\nclass _B:\n    ..."
    found = [(name, is_annotated(*one)) for name, *one in signatures(source)]
    assert found == [("f", True), ("g", False)]


def test_no_module_is_exempt_again():
    """A module that is annotated leaves the list in `pyproject.toml` for good."""
    assert set(exempt()) <= {
        "tfmgaug.augmentation.*",
        "tfmgaug.learners.*",
        "tfmgaug.masks.*",
        "tfmgaug.regularizers.*",
    }
