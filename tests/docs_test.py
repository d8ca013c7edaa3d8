"""The documentation compared with the code: examples, commands, flags, links."""

import ast
import functools
import importlib
import json
import pathlib
import pkgutil
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

import tfmgaug

ROOT = pathlib.Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
TEXTS = [*PAGES, ROOT / "BUILD_NOTES.md", ROOT / "CONTRIBUTING.md"]
FOREIGN_FLAGS = {
    "check",
    "flagfile",
    "help",
    "helpshort",
    "logdir",
    "no-deps",
    "quiet",
}  # not of launch
SMALLER = {
    "filters=16": "filters=2",
    "filters=4": "filters=1",
    "filters=8": "filters=2",
    "episodes=600": "episodes=4",
    "steps_per_epoch=25": "steps_per_epoch=1",
    "epochs=4": "epochs=1",
    "epochs=2": "epochs=1",
    "subnetworks=3": "subnetworks=1",
    "image_shape=test.image_shape": "image_shape=test.image_shape, filters=2",
}
# Complete examples, which run as they are: a page, and the number of the block on it.
COMPLETE = [
    ("index.md", 0),
    ("data.md", 2),
    ("data.md", 3),
    ("concepts/episodes.md", 0),
    ("concepts/evaluation.md", 1),
    ("concepts/inner-loop.md", 0),
    ("concepts/masks.md", 0),
    ("concepts/masks.md", 1),
    ("extend/learner.md", 0),
    ("extend/learner.md", 2),
    ("extend/mask.md", 1),
    ("extend/regularizer.md", 1),
    ("extend/regularizer.md", 2),
]


def blocks(page, language):
    """The blocks of code on a page, with the files that it includes."""
    text = re.sub(r'^--8<-- "(.*\.py)"$', _included, page.read_text(), flags=re.MULTILINE)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _included(match):
    return (ROOT / match[1]).read_text()


def examples():
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page, "python"))
    ]


def resolve(path):
    """Returns what a dotted path names, importing as far as there are modules."""
    first, *names = path.split(".")
    value = importlib.import_module(first)
    for position, name in enumerate(names, 1):
        if not hasattr(value, name):
            importlib.import_module(".".join([first, *names[:position]]))
        value = getattr(value, name)
    return value


def dotted(node, imported):
    """Returns the path that an attribute of an imported module spells, or None."""
    if isinstance(node, ast.Name):
        return imported.get(node.id)
    base = dotted(node.value, imported) if isinstance(node, ast.Attribute) else None
    return base and f"{base}.{node.attr}"


@pytest.mark.parametrize("code", examples())
def test_examples_compile_and_what_they_import_exists(code):
    tree, imported = ast.parse(code), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update({name.asname or name.name: name.name for name in node.names})
        elif isinstance(node, ast.ImportFrom):
            imported.update({n.asname or n.name: f"{node.module}.{n.name}" for n in node.names})
    paths = {dotted(node, imported) for node in ast.walk(tree)} | set(imported.values())
    for path in paths - {None}:
        resolve(path)


@pytest.mark.parametrize(("page", "number"), COMPLETE)
@pytest.mark.usefixtures("unoptimized_graphs")
def test_complete_examples_run(page, number, monkeypatch, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, [6, 20, 28, 28, 1], "uint8")
    classes = tfmgaug.data.from_arrays(list(images))
    monkeypatch.setattr(tfmgaug.data, "load", lambda name: (classes, classes, classes))
    monkeypatch.chdir(tmp_path)
    code = blocks(ROOT / "docs" / page, "python")[number]
    for large, small in SMALLER.items():
        code = code.replace(large, small)
    exec(compile(code, page, "exec"), {})


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda e: e.stem)
def test_every_example_is_shown_on_a_page(example):
    assert any(example.read_text() in block for page in DOCS for block in blocks(page, "python"))


def test_start_page_shows_what_the_readme_shows():
    start = (ROOT / "docs" / "index.md").read_text()
    readme = ROOT / "README.md"
    for block in (*blocks(readme, "text"), blocks(readme, "python")[0]):
        assert block in start


# Commands: parsed by the flags that each defines, all in one process that imports TensorFlow once.

PARSER = """
import json, runpy, sys
from absl import app, flags

def run(main, argv=None, flags_parser=None):
    (flags_parser or flags.FLAGS)(sys.argv)

app.run = run
names, errors = set(), []
kept = set(flags.FLAGS)
for module, *arguments in json.load(sys.stdin):
    for name in set(flags.FLAGS) - kept:
        delattr(flags.FLAGS, name)
    for name in [name for name in sys.modules if name.split(".")[0] == "launch"]:
        del sys.modules[name]
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__")
    except (Exception, SystemExit) as error:
        errors.append(f"{module} {' '.join(arguments)}: {error!r}")
    names |= set(flags.FLAGS)
json.dump({"names": sorted(names), "errors": errors}, sys.stdout)
"""


def commands():
    """Yields the module and arguments of each command of launch."""
    for page in TEXTS:
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if "-m" in words and words[words.index("-m") + 1].startswith("launch."):
                    yield [w for w in words[words.index("-m") + 1 :] if not w.startswith("--help")]


@functools.cache
def parsed():
    asked = json.dumps(sorted(commands()))
    result = subprocess.run(
        [sys.executable, "-c", PARSER],
        input=asked,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def test_commands_are_understood():
    assert len(list(commands())) > 20
    assert parsed()["errors"] == []


def test_flags_that_are_mentioned_exist():
    known = set(parsed()["names"]) | FOREIGN_FLAGS
    for page in TEXTS:
        for name in re.findall(r"(?<![\w-])--([a-z][a-z0-9_-]*[a-z0-9])", page.read_text()):
            assert name in known or name.removeprefix("no") in known, f"{page.name}: --{name}"


# Links.


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text())):
        path, _, anchor = target.partition("#")
        if "//" not in path:
            file = page.parent / path if path else page
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


def test_reference_has_every_package():
    written = "\n".join(page.read_text() for page in (ROOT / "docs" / "api").glob("*.md"))
    shown = set(re.findall(r"^::: (tfmgaug[\w.]*)", written, re.MULTILINE))
    shown |= {path.rpartition(".")[0] for path in shown}  # a package by its modules
    packages = {
        f"tfmgaug.{module.name}"
        for module in pkgutil.iter_modules(tfmgaug.__path__)
        if module.ispkg
    }
    modules = {
        f"tfmgaug.{name}"
        for name in tfmgaug.__all__
        if name == "export" or isinstance(getattr(tfmgaug, name), type(tfmgaug))
    }
    assert packages | modules <= shown
