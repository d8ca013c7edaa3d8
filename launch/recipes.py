"""Recipes by name: settings of `launch.train` for a purpose, or for a run of a paper."""

import difflib
import functools

from launch.papers.registry import PAPERS

DEFAULT = "quickstart"
# A first run, made for two cores and minutes: what differs from the defaults of the package.
QUICKSTART = {
    "data": "glyphs",
    "train_query": 5,
    "learner": "fomaml",
    "inner_learning_rate": 0.1,
    "backbone": "conv4",
    "filters": 16,
    "mask": "catfish",
    "optimizer": "adam",
    "learning_rate": 0.002,
    "epochs": 8,
    "steps_per_epoch": 30,
    "validation_episodes": 40,
}
# The same on photos of one's own, which --data_dir names: a folder for each class.
PHOTOS = {**QUICKSTART, "data": "folder", "image_size": 84, "shot": 5}

_LISTED = "python -m launch.reproduce --list"


def settings(name):
    """Returns the settings of a recipe.

    Args:
        name: "quickstart", "photos", or a run of a paper, such as
            "mgaug/table1/cub/5-shot/conv4/protonet+cp", with "/small" behind it for its small form.

    Returns:
        A dictionary from flags of `launch.train` to values.

    Raises:
        ValueError: there is no such recipe.
    """
    known = _all()
    if name not in known:
        raise ValueError(
            f"There is no such recipe. Nearest are {_nearest(name, known)}. Beside quickstart and "
            f"photos there is one for each run of a paper, which `{_LISTED}` names; with /small "
            "behind it for its small form."
        )
    return known[name]


@functools.cache
def _all():
    """The settings of all recipes, by name."""
    recipes = [recipe for paper in PAPERS.values() for recipe in paper.recipes]
    forms = dict(recipe.of(size) for recipe in recipes for size in ("full", "small"))
    return {DEFAULT: QUICKSTART, "photos": PHOTOS, **forms}


def _nearest(name, known):
    """Some names like one that is unknown, of which the small forms are left out."""
    names = [other for other in known if not other.endswith("/small")]
    wanted = name.removesuffix("/small")
    return ", ".join(difflib.get_close_matches(wanted, names, n=3, cutoff=0))
