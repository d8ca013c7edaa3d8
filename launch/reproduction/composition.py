"""Flags of `launch.train` composed from recipes, and differences between runs."""

import re

from absl import flags
from absl.testing import flagsaver

from launch import recipe_flags, recipes, settings
from launch.given_flags import present

SIZES = ("small", "full")

# Flags that decide where and how a run computes, but neither its result nor what it records.
_HOW = frozenset(
    ("cache_dir", "data_dir", "distribute", "download", "fused", "overwrite", "parallel_tasks")
    + ("recipe", "recompute_inner_steps", "resume", "run_dir", "threads")
)
# Flags that a paper's result doesn't depend on.
NEUTRAL = _HOW | frozenset(
    ("landscape_curvature", "landscape_every", "landscape_max_seconds", "landscape_tasks", "seed")
)
_OWN = ("resume", "run_dir", "seed")


def passed_through():
    """Returns the flags of `launch.train` on the command line, which hold for every run.

    Returns:
        A dictionary from names to lists of arguments.

    Raises:
        ValueError: one of them is not for the user to choose here.
    """
    passed = [flags.FLAGS[name] for name in settings.names() if flags.FLAGS[name].present]
    refused = [flag.name for flag in passed if flag.name in _OWN]
    if refused:
        raise ValueError(
            "Seeds are chosen by --seeds and directories by --runs_dir; runs are always resumed. "
            f"Received: --{', --'.join(refused)}."
        )
    passed = [flag for flag in passed if flag.name != "overwrite"]  # which is about --output here
    return {flag.name: flag.serialize().splitlines() for flag in passed}


def resolve(arguments, recipe=None):
    """Finds out what `launch.train` would make of arguments.

    Args:
        arguments: list of command-line arguments, without --recipe.
        recipe: dictionary of the recipe's settings; None: those of the default recipe.

    Returns:
        The dictionary that the run would write to its flags.json.

    Raises:
        ValueError: the arguments don't fit `launch.train`.
    """
    with flagsaver.flagsaver():
        for name in settings.names():
            flags.FLAGS[name].unparse()
        try:
            left = flags.FLAGS(["", *arguments])[1:]
        except flags.Error as error:
            raise ValueError(f"{' '.join(arguments)}: {error}") from error
        if left:
            raise ValueError(f"Expected flags only. Received: {' '.join(left)}.")
        recipe_flags.lay_under(recipes.settings(recipes.DEFAULT) if recipe is None else recipe)
        settings.check(flags.FLAGS, present(settings.names()))
        return settings.as_dictionary()


def changes(run, planned):
    """Names what a run does otherwise than planned.

    Args:
        run: dictionary of its flags.
        planned: dictionary of the flags that were planned.

    Returns:
        A list of texts, `--name=value (planned value)`. A flag that one of the two doesn't know,
        being of another version, doesn't count, and neither does one that none of them reads.
    """
    return [
        f"--{name}={_text(run[name])} ({_text(planned[name])})"
        for name in sorted((set(run) & set(planned)) - NEUTRAL)
        if _differs(run, planned, name)
    ]


def same(run, planned):
    """Whether a run is what is planned: its seed, its result and what it records.

    Args:
        run: dictionary of its flags.
        planned: dictionary of the flags that are planned.
    """
    return run.get("seed") == planned.get("seed") and not any(
        _differs(run, planned, name) for name in planned if name in run and name not in _HOW
    )


def _differs(run, planned, name):
    return run[name] != planned[name] and (
        settings.reads(run, name) or settings.reads(planned, name)
    )


def variant(size, passed):
    """Names the runs of a size that share what was passed through.

    Args:
        size: "small" or "full".
        passed: dictionary from `passed_through`.

    Returns:
        A name for a directory: other settings get another one.
    """
    kept = [
        argument.lstrip("-")
        for name, arguments in sorted(passed.items())
        if name not in NEUTRAL
        for argument in arguments
    ]
    return re.sub(r"[^\w.=,+-]", "_", "--".join([size, *kept]))


def _text(value):
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
