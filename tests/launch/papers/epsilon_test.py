"""The epsilon of normalization in recipes: that of each paper's code."""

import pytest

from launch.papers.registry import PAPERS
from tests.launch.recipe_settings import resolve


@pytest.mark.parametrize(
    ("paper", "of_paper"),
    [
        ("mgaug", lambda settings: 1e-5),
        ("landscape", lambda settings: 1e-3),
        (
            "network_pruning",
            lambda settings: 1e-3 if settings["learner"] == "reptile" else 1e-5,
        ),
        ("meta_ticket", lambda settings: 1e-3 if settings["backbone"] == "mlp" else 1e-5),
    ],
)
def test_recipes_have_the_epsilon_of_their_code(paper, of_paper):
    for recipe in PAPERS[paper].recipes:
        settings = resolve(recipe)
        assert settings["normalization_epsilon"] == of_paper(settings), recipe.name
