"""The contract of a recipe, which every cell and figure of every paper keeps."""

import subprocess
import sys
from collections import Counter

import pytest
from absl import flags

from launch import recipes, settings
from launch.given_flags import idle
from launch.papers.registry import PAPERS
from tests.launch.recipe_settings import define, laid, resolve

RECIPES = [recipe for paper in PAPERS.values() for recipe in paper.recipes]


@pytest.mark.parametrize("size", ["full", "small"])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_setting_is_a_flag_that_something_reads(recipe, size):
    define()
    name, chosen = recipe.of(size)
    assert set(chosen) <= set(settings.names())
    resolved = resolve(recipe, size)  # refuses what doesn't fit together
    with laid(chosen):
        assert idle(flags.FLAGS, chosen, settings.READ_WITH) == {}
        assert not any(flags.FLAGS[setting].using_default_value for setting in chosen)
    assert recipes.settings(name) == chosen
    assert chosen["data"] == resolved["data"]
    assert resolved["seed"] == 0


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_says_itself_what_quickstart_would(recipe):
    with laid(recipe.full):
        unsaid = set(recipes.QUICKSTART) - set(recipe.full)
        unread = sum(idle(flags.FLAGS, unsaid, settings.READ_WITH).values(), [])
    # Of larger networks the channels are the constructor's, or said block by block.
    channels = {"filters"} if recipe.full["backbone"] in ("resnet12", "wide_resnet") else set()
    assert unsaid - set(unread) <= channels


def test_names_begin_with_the_paper_and_are_of_one_recipe_each():
    for paper in PAPERS.values():
        assert all(recipe.name.startswith(f"{paper.name}/") for recipe in paper.recipes)
    settings_of = {}
    for paper in PAPERS.values():
        cells = [cell.recipe for table in paper.tables for cell in table.cells]
        panels = [panel for figure in paper.figures for panel in figure.panels]
        for recipe in (*cells, *(recipe for panel in panels for _, recipe in panel.labeled())):
            assert settings_of.setdefault(recipe.name, recipe.full) == recipe.full
    # A run's directory has the recipe's name: none is inside another.
    folders = [f"{name}/" for name in settings_of]
    assert not any(a != b and a.startswith(b) for a in folders for b in folders)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_small_form_needs_no_data_and_few_steps(recipe):
    full, small = resolve(recipe), resolve(recipe, "small")
    assert small["data"] == ("sinusoids" if full["data"] == "sinusoids" else "glyphs")
    assert small["epochs"] * small["steps_per_epoch"] <= 1200
    kept = ("learner", "backbone", "mask", "pruning", "regularizers", "way", "shot", "keep")
    assert {name: small[name] for name in kept} == {name: full[name] for name in kept}


def test_runs_of_tables_are_of_different_settings():
    runs = {cell.recipe for p in PAPERS.values() for table in p.tables for cell in table.cells}
    counts = Counter(str(sorted(resolve(recipe).items())) for recipe in runs)
    assert set(counts.values()) == {1}


def test_papers_are_read_without_tensorflow():
    code = (
        "import sys, launch.papers.registry, launch.recipes\n"
        "print({'tensorflow', 'keras', 'tfmgaug', 'absl'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
