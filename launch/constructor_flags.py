"""Flags made from constructors: names, types, defaults and help."""

import functools
import itertools
import re
import types
from typing import Any, NamedTuple

from absl import flags

from launch import number_flags, registry
from launch.argument_types import Type, type_of
from launch.given_flags import GIVEN, Switch
from launch.signatures import REQUIRED, read

flags.disclaim_key_flags()
_REPEATED = ("hidden", "queries")  # --hidden=40 --hidden=40


class Use(NamedTuple):
    """A constructor's argument that a flag fills.

    Attributes:
        row: `launch.rows.Row` of the constructor.
        argument: `launch.signatures.Argument`.
        needed: dictionary of what other flags must be chosen.
    """

    row: Any
    argument: Any
    needed: dict

    @property
    def type(self):
        """The `Type` of the argument."""
        bounds = self.row.numbers.get(self.argument.name)
        return (
            Type(float, True, None, *bounds, or_single=True) if bounds else type_of(self.argument)
        )


def arguments(row):
    """Returns the arguments of a row that flags fill: a dictionary from names to `Argument`."""
    taken = read(row.constructor).arguments
    return {
        name: argument
        for name, argument in taken.items()
        if name not in row.without and (row.only is None or name in row.only)
    }


@functools.cache
def uses():
    """Returns what reads each flag: a dictionary from names to lists of `Use`."""
    users = {}
    for row, needed in registry.rows():
        switch = row.switch and row.flag(row.switch)
        for name, argument in arguments(row).items():
            if name in row.shared:
                continue
            flag = row.flag(name)
            more = {} if switch in (None, flag) else {switch: GIVEN}
            use = Use(row, argument, {**needed, **more, **row.needs.get(name, {})})
            users.setdefault(flag, []).append(use)
    return users


def read_with():
    """Returns what each flag is read with, as `launch.given_flags` has it.

    Returns:
        A dictionary from names to tuples of `Switch`. What all rows of a kind read, and what has no
        condition, is not in it.
    """
    table = {kind.flag: registry.switches(kind.within) for kind in registry.KINDS if kind.within}
    for flag, readers in uses().items():
        names = dict.fromkeys(name for use in readers for name in use.needed)
        table[flag] = tuple(
            Switch(name, values) for name in names if (values := _values(name, readers)) is not None
        )
    return {flag: switches for flag, switches in table.items() if switches}


def _values(name, readers):
    """The values of a flag with which one of several readers is built; None: any value."""
    if any(name not in use.needed for use in readers):
        return None
    if any(use.needed[name] is GIVEN for use in readers):
        return GIVEN
    values = tuple(dict.fromkeys(value for use in readers for value in use.needed[name]))
    kind = next((kind for kind in registry.KINDS if kind.flag == name), None)
    return None if kind and set(kind.rows) <= set(values) else values


def define():
    """Defines the flags of all kinds and rows."""
    for kind in registry.KINDS:
        if kind.several:
            flags.DEFINE_list(kind.flag, [], f"{kind.text} {', '.join(kind.rows)}.")
        else:
            text = kind.text if kind.default else f"{kind.text} By default the recipe's."
            flags.DEFINE_enum(kind.flag, kind.default, list(kind.rows), text)
    for name, readers in uses().items():
        kind = readers[0].type._replace(choices=choices(name))
        define_flag(name, kind, default(name), help_text(name))


def default(name):
    """Returns a flag's default: the constructors', where they have the same.

    Args:
        name: of the flag.

    Returns:
        The value; None where constructors differ, where it goes together with other choices, or
        where the flag switches something on.
    """
    users = uses()[name]
    if name in _switches():
        return None
    values = {repr(use.argument.default): use.argument.default for use in users}
    (value, *others) = values.values()
    combined = any(use.argument.name in use.row.combined for use in users)
    return None if others or combined or value is REQUIRED else value


def readers_with(name, choices):
    """Returns what reads a flag with choices: a list of `Use`.

    Args:
        name: of the flag.
        choices: dictionary from flags to their values.
    """
    settings = types.SimpleNamespace(**choices)
    return [
        use
        for use in uses().get(name, ())
        if all(Switch(flag, values).is_on(settings) for flag, values in use.needed.items())
    ]


def completed(values):
    """Fills in the defaults of what is read and None.

    Args:
        values: dictionary of flags. None leaves a choice or a constructor its default.

    Returns:
        A dictionary of the same flags. None stands for what nothing reads, what is nothing by
        default, and what several constructors read that have different defaults.
    """
    kinds = {kind.flag: kind.default for kind in registry.KINDS if not kind.several}
    chosen = {flag: values.get(flag) or default for flag, default in kinds.items()}
    values = {**values, **{flag: name for flag, name in chosen.items() if flag in values}}
    everything = {**chosen, **dict.fromkeys(_conditions()), **values}
    for name in (name for name in set(uses()) - _switches() if values.get(name, "") is None):
        readers = readers_with(name, everything)
        defaults = [use.row.default(use.argument, everything) for use in readers]
        if defaults and REQUIRED not in defaults and defaults == defaults[:1] * len(defaults):
            values[name] = _as_given(name, defaults[0])
    return values


@functools.cache
def _switches():
    """The flags that switch something on."""
    return frozenset(row.flag(row.switch) for row, _ in registry.rows() if row.switch)


@functools.cache
def _conditions():
    """The flags that decide what is read."""
    return frozenset(name for users in uses().values() for use in users for name in use.needed)


def _as_given(name, value):
    """A constructor's value as its flag has it: numbers of a list are texts there."""
    if not isinstance(value, (list, tuple)):
        return value
    return list(value) if name in _REPEATED else [str(entry) for entry in value]


def help_text(name):
    """Returns a flag's help: of the docstring, and whose default is which where they differ."""
    users = uses()[name]
    text = sentence(users[0].argument.text)
    names = {}
    for use in users:
        value = use.argument.default
        if value is not REQUIRED and (value is not None or len(users) > 1):
            names.setdefault(str(value), []).append(read(use.row.constructor).name)
    if len(names) > 1:
        most = max(names, key=lambda value: len(names[value]))
        rest = f"the others' {most}" if len(names[most]) > 1 else f"{names[most][0]}'s {most}"
        others = [f"{' and '.join(n)}'s {v}" for v, n in names.items() if v != most]
        text += f" Constructors' defaults: {', '.join([*others, rest])}."
    elif names and any(use.argument.name in use.row.combined for use in users):
        text += f" The constructor's default: {next(iter(names))}."
    return f"{text}{''.join(_combined(use, len(users) > 1) for use in users)}"


def _combined(use, several):
    """What a flag's help says of a default that goes together with other choices."""
    if use.argument.name not in use.row.combined:
        return ""
    value, needed = use.row.combined[use.argument.name]
    value = ",".join(map(str, value)) if isinstance(value, tuple) else value
    choices = " and ".join(str(Switch(flag, names)) for flag, names in needed.items())
    owner = f"{read(use.row.constructor).name}'s" if several else "the"
    return f" With {choices} {owner} default is {value}."


def sentence(text, whole=False):
    """Returns the first sentence of a docstring's text, or all, without the type in front.

    Args:
        text: of an argument, in the `Args:` section.
        whole: whether to return all.
    """
    kind = r"(?:list of )?(?:bool|int|float|str)s?"
    bounds = r"(?: (?:>=? -?[\d.]*\d|in [\[(][^\])]*[\])]))?"
    text = re.sub(rf"^{kind}{bounds}(?:[,:;.] *|$)", "", text)
    text = re.sub(r"^(?:\w\d?|beta), ", "", text)  # the symbol that a formula has for it
    if whole:
        return f"{text[:1].upper()}{text[1:]}"
    first = re.split(r"(?<=[a-z)`\d])\. |; see", text)[0].rstrip(".")
    return f"{first[:1].upper()}{first[1:]}." if first else ""


def define_flag(name, kind, value, text):
    """Defines a flag.

    Args:
        name: of the flag.
        kind: its `Type`.
        value: its default.
        text: its help.
    """
    if kind.several and name in _REPEATED:
        flags.DEFINE_multi_integer(name, value and list(value), text)
    elif kind.several and kind.kind is not str:
        number_flags.define(name, text, kind.kind, kind.lower or 0, kind.upper)
        if value is not None:
            flags.FLAGS.set_default(name, [str(entry) for entry in value])
    elif kind.several:
        named = f" Of {', '.join(kind.choices)}." if kind.choices else ""
        flags.DEFINE_list(name, value if value is None else list(value), f"{text}{named}")
    elif kind.kind is bool:
        flags.DEFINE_boolean(name, value, text)
    elif kind.choices:
        flags.DEFINE_enum(name, value, kind.choices, text)
    elif kind.kind is str:
        flags.DEFINE_string(name, value, text)
    else:
        define_number = flags.DEFINE_integer if kind.kind is int else flags.DEFINE_float
        define_number(name, value, text, lower_bound=kind.lower, upper_bound=kind.upper)


def define_fields(path, named=None, without=()):
    """Defines a flag for each field of a dataclass, or each argument of a function.

    Args:
        path: dotted path of the dataclass or function.
        named: dictionary from fields to choices that no annotation names.
        without: fields that something else fills.
    """
    for name, argument in read(path).arguments.items():
        if name in without:
            continue
        kind = type_of(argument)
        if named and name in named:
            kind = kind._replace(choices=tuple(named[name]))
        required = argument.default is REQUIRED
        value = None if required else argument.default
        define_flag(name, kind, value, sentence(argument.text, whole=True))
        if required:
            flags.mark_flag_as_required(name)


def fields(path, options):
    """Returns what flags fill the fields of a dataclass or the arguments of a function with.

    Args:
        path: dotted path of the dataclass or function.
        options: absl flags.

    Returns:
        A dictionary from the fields that have flags to their values.
    """
    return {name: options[name].value for name in read(path).arguments if name in options}


def choices(name):
    """Returns the values that a flag takes, be it for one constructor alone.

    Args:
        name: of the flag.

    Returns:
        A tuple, or None where any value will do.
    """
    values = [use.type.choices for use in uses()[name]]
    return None if None in values else tuple(dict.fromkeys(itertools.chain(*values)))


def readers(flag, name):
    """Returns the rows that read a flag.

    Args:
        flag: of the rows' kind, as `learner`.
        name: of the flag that is read.
    """
    return tuple(dict.fromkeys(row for use in uses()[name] for row in use.needed[flag]))
