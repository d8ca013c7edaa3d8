"""Annotated public signatures."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).parents[1]


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


def unannotated():
    missing = []
    for path in sorted((ROOT / "tfmgaug").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        missing += [
            f"{module}.{name}"
            for name, *definition in signatures(path.read_text())
            if not is_annotated(*definition)
        ]
    return missing


def test_public_signatures_are_annotated():
    assert unannotated() == []


def test_what_is_missing_is_seen():
    source = "class A:\n    def f(self, x, *, y: int = 1) -> int: ...\n    def _g(self, x): ...\n"
    assert [(name, is_annotated(*one)) for name, *one in signatures(source)] == [("A.f", False)]
    source = "def f(x: int, *rest: int) -> int: ...\ndef g(x: int): ...\nclass _B:\n    ..."
    found = [(name, is_annotated(*one)) for name, *one in signatures(source)]
    assert found == [("f", True), ("g", False)]
