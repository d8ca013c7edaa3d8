"""Plain words in the source: noun phrases as first lines of modules, and speaking names."""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
FILES = sorted(path for folder in ("tfmgaug", "launch") for path in (ROOT / folder).rglob("*.py"))
CLAUSE = re.compile(r"(What|How|Which|Whether|Where|When|Who|Why|That|Files that)\b")
RIDDLES = {"one", "own", "found", "given", "each", "says"}


def first_line(source):
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def named(node):
    """Returns the name that a piece of syntax gives or reads, or ""."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.arg | ast.keyword):
        return node.arg or ""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler | ast.alias):
        return (getattr(node, "asname", None) or node.name or "").strip("_")
    return ""


def riddles(source):
    return sorted({named(node) for node in ast.walk(ast.parse(source))} & RIDDLES)


def complaints(path):
    source = path.read_text()
    line = first_line(source)
    if not line or CLAUSE.match(line):
        yield f"{path.relative_to(ROOT)}: {line!r} is not a noun phrase"
    yield from (f"{path.relative_to(ROOT)}: {name}" for name in riddles(source))


def test_first_lines_and_names_are_plain_words():
    assert [complaint for path in FILES for complaint in complaints(path)] == []


def test_riddles_are_seen_wherever_they_stand():
    assert riddles("own = 1") == ["own"]
    assert riddles("def f(given, *, one=1): ...") == ["given", "one"]
    assert riddles("x = [found for found in y]\ny.says = f(each=2)") == ["each", "found", "says"]
    assert riddles("def _one(): ...\nclass Given: ...\nownership = 'own'") == ["one"]


def test_clauses_are_told_from_noun_phrases():
    assert CLAUSE.match(first_line('"""What a run is."""'))
    assert CLAUSE.match(first_line('"""Files that are whole."""'))
    assert not CLAUSE.match(first_line('"""Whatever. No clause."""'))
    assert not CLAUSE.match(first_line('"""Atomic file writes.\n\nHow they work."""'))
