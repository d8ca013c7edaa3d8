"""Types of constructors' arguments, from annotations, docstrings and defaults.

An annotation decides; where there is none, the docstring's first words do ("int >= 1, ...", "list
of ints, ..."), and then the default. Bounds and choices are those that the docstring names.
"""

import re
from typing import NamedTuple

from launch.signatures import REQUIRED

_KINDS = {"bool": bool, "int": int, "float": float, "str": str}
_LIST = re.compile(r"\b(?:list|tuple|Sequence|Iterable)\b")


class Type(NamedTuple):
    """What values an argument takes.

    Attributes:
        kind: bool, int, float or str.
        several: whether it is a list of these.
        choices: tuple of the only values, of a list those of its entries, or None.
        lower: the least value, or None.
        upper: the greatest value, or None.
        or_single: whether a list of a single number stands for the number.
    """

    kind: type
    several: bool = False
    choices: tuple | None = None
    lower: float | None = None
    upper: float | None = None
    or_single: bool = False


def type_of(argument):
    """Finds out what values an argument takes.

    Args:
        argument: `launch.signatures.Argument`.

    Returns:
        A `Type`.

    Raises:
        ValueError: neither annotation nor docstring nor default say it.
    """
    start = argument.text.split(",")[0].split(":")[0]
    default = argument.default
    listed = isinstance(default, (list, tuple))
    several = listed or (
        (default in (None, REQUIRED))
        and bool(_LIST.search(argument.annotation or start))
        and not re.match(r"(bool|int|float|str)\b", argument.annotation or start)
    )
    kind = _named(argument.annotation) or _named(start) or _of_value(default)
    if kind is None:
        raise ValueError(
            f"Expected an annotation of `{argument.name}`, or a docstring that begins with its "
            f"type, as 'int >= 1, ...'. Received: {argument.text!r}."
        )
    lower, upper = _bounds(start + "," + argument.text[len(start) + 1 :].split(",")[0])
    bounds = (None if bound is None else kind(bound) for bound in (lower, upper))
    return Type(kind, several, _choices(argument, kind, several), *bounds)


def _named(text):
    """The first type that a text names."""
    named = re.search(r"\b(bool|int|float|str|Literal)(?:s|ing)?\b", text or "")
    return named and _KINDS.get(named[1], str)


def _of_value(value):
    entry = value[0] if isinstance(value, (list, tuple)) and value else value
    return type(entry) if type(entry) in _KINDS.values() else None


def _bounds(text):
    """The bounds in `int >= 1`, `floats in [0, 1)`: those that a value may reach."""
    least = re.match(r"(?:list of )?(?:int|float)s? >= (-?[\d.]*\d)", text)
    if least:
        return float(least[1]), None
    within = re.match(r"(?:list of )?(?:int|float)s? in [\[(](\d+), (\d+)[\])]", text)
    return (float(within[1]), float(within[2])) if within else (None, None)


def _choices(argument, kind, several):
    """The values that `Literal[...]` or quotation marks in the docstring name."""
    literal = re.search(r"Literal\[(.*?)\]", argument.annotation or "")
    if kind is not str or (several and not literal):
        return None
    quoted = re.findall(r"['\"](\w+)['\"]", literal[1] if literal else argument.text)
    return tuple(dict.fromkeys(quoted)) or None
