"""The flags of `launch.analyze`, made from the signatures of the analyses and of the command."""

import functools

from launch import constructor_flags, settings
from launch.analyses.registry import ANALYSES, module
from launch.argument_types import type_of
from launch.given_flags import present, read_with, refuse_idle
from launch.signatures import REQUIRED, first_line, read

_COMMAND = "launch.jobs.analyze.analyze"
# What evaluation alone reads of the flags of the data, and what analyses take instead.
_OF_EVALUATION = {"test_episodes": "episodes"}


def arguments_of(name):
    """Returns the arguments of an analysis that flags fill: names, and `Argument`s.

    Args:
        name: of the analysis.
    """
    taken = read(f"{module(name)}.analyze").arguments
    return {flag: argument for flag, argument in taken.items() if flag != "runs"}


def arguments_of_command():
    """Returns the arguments that flags of all analyses fill: names, and `Argument`s."""
    taken = read(_COMMAND).arguments
    return {flag: taken[flag] for flag in taken if flag not in ("name", "arguments", "data")}


@functools.cache
def readers():
    """Returns who reads each flag: names of flags, and dictionaries of analyses and `Argument`s."""
    readers_of_flags = {}
    for name in ANALYSES:
        for flag, argument in arguments_of(name).items():
            readers_of_flags.setdefault(flag, {})[name] = argument
    return readers_of_flags


def type_of_flag(flag):
    """Returns the `Type` of a flag: what some analysis takes, another may still refuse."""
    types = [type_of(argument) for argument in readers()[flag].values()]
    lower = [kind.lower for kind in types]
    choices = dict.fromkeys(choice for kind in types for choice in kind.choices or ())
    return types[0]._replace(
        choices=tuple(choices) or None, lower=None if None in lower else min(lower)
    )


def define():
    """Defines the flags of the command and of all analyses."""
    for flag, argument in arguments_of_command().items():
        default = None if argument.default is REQUIRED else argument.default
        text = constructor_flags.sentence(argument.text, whole=True)
        constructor_flags.define_flag(flag, type_of(argument), default, text)
    for flag, users in readers().items():
        defaults = {repr(argument.default): argument.default for argument in users.values()}
        default = None if len(defaults) > 1 else next(iter(defaults.values()))
        constructor_flags.define_flag(flag, type_of_flag(flag), default, help_text(flag))


def help_text(flag):
    """Returns a flag's help: of the docstrings, and whose default is which where they differ."""
    texts, defaults = {}, {}
    for name, argument in readers()[flag].items():
        texts.setdefault(constructor_flags.sentence(argument.text), []).append(name)
        defaults.setdefault(_shown(argument.default), []).append(name)
    if len(texts) == 1:
        help_of_all = f"{next(iter(texts))} Read by {_listed(readers()[flag])}."
    else:
        help_of_all = " ".join(f"{_listed(names)}: {text}" for text, names in texts.items())
    if len(defaults) == 1:
        return help_of_all
    shown = [f"{value} of {_listed(names)}" for value, names in defaults.items() if value]
    return f"{help_of_all} Defaults: {'; '.join(shown)}."


def _shown(default):
    """A default as it is written on the command line; nothing for None."""
    if isinstance(default, (list, tuple)):
        return ",".join(map(str, default))
    return "" if default is None else str(default)


def _listed(names):
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def listing():
    """Returns lines of text: groups of analyses, and what each of them draws."""
    width = max(map(len, ANALYSES)) + 2
    lines = []
    for group in dict.fromkeys(row.group for row in ANALYSES.values()):
        names = [name for name, row in ANALYSES.items() if row.group == group]
        lines += [f"{name:{width}}{first_line(module(name)).rstrip('.')}" for name in names]
        lines[-len(names) :] = [f"{group}:", *lines[-len(names) :], ""]
    return "\n".join(lines)


def check(options, words):
    """Refuses flags that the analysis would pass over.

    Args:
        options: absl flags.
        words: list of the words beside flags, the name of an analysis.

    Raises:
        ValueError: there are some, or no such analysis.
    """
    if len(words) != 1 or words[0] not in ANALYSES:
        raise ValueError(
            f"Expected one of {', '.join(sorted(ANALYSES))}: python -m launch.analyze hat "
            f"--runs=... Received: {' '.join(words) or 'none'}."
        )
    (name,) = words
    _refuse_those_of_others(name)
    _refuse_unknown_entries(name, options)
    switches = read_with(**ANALYSES[name].measures_with)
    measuring = present([*settings.names(), *arguments_of(name)])
    switched = {flag: switches for flag in measuring if flag not in ANALYSES[name].measures_with}
    refuse_idle(options, list(switched), switched)


def _refuse_those_of_others(name):
    of_data = settings.names() if ANALYSES[name].looks_at_tasks else []
    taken = {*arguments_of_command(), *arguments_of(name)}
    idle = present(sorted({*readers(), *settings.names()} - taken - {*of_data} | {*_OF_EVALUATION}))
    if idle:
        raise ValueError(
            f"{', '.join('--' + flag for flag in idle)} has no meaning for `{name}`, which takes "
            f"{', '.join('--' + flag for flag in sorted(taken))}"
            f"{' and the flags of the data' if of_data else ''}. {_who_reads(idle[0])}"
        )


def _who_reads(flag):
    if flag in _OF_EVALUATION:
        return f"Analyses take --{_OF_EVALUATION[flag]} in the place of --{flag}."
    of_tasks = [name for name, row in ANALYSES.items() if row.looks_at_tasks]
    return f"--{flag} is a flag of {_listed(readers().get(flag, of_tasks))}."


def _refuse_unknown_entries(name, options):
    """Refuses entries of lists that are none of the choices; other flags refuse them themselves."""
    for flag in present(arguments_of(name)):
        kind = type_of_flag(flag)
        unknown = (
            set(options[flag].value) - set(kind.choices) if kind.several and kind.choices else ()
        )
        if unknown:
            raise ValueError(
                f"--{flag} must be of {', '.join(kind.choices)}. "
                f"Received: {', '.join(sorted(unknown))}."
            )


def values(options, names):
    """Returns the values of those flags that were given, numbers out of their text.

    Args:
        options: absl flags.
        names: of flags of analyses.

    Returns:
        A dictionary. What is not in it is left to the default of the analysis.
    """
    return {flag: _value(options[flag].value, type_of_flag(flag)) for flag in present(names)}


def _value(value, kind):
    return [kind.kind(entry) for entry in value] if kind.several else value
