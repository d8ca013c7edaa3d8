"""Rows of the registry, and the kinds of choices that they make up."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_EMPTY = MappingProxyType({})


class Row(NamedTuple):
    """A constructor, and how its arguments stand among the flags.

    Attributes:
        constructor: dotted path of a class or function.
        prefix: what flags' names have in front of the arguments' names. A word in which the one
            ends and the other begins stands there once: drop_block_sizes for block_sizes.
        without: arguments that have no flag: what builds the object supplies them.
        needs: arguments, and what other flags must be chosen for each of them to be read.
        combined: arguments, and a default that goes together with what other flags choose: a pair
            of the value and these choices. Otherwise the default is the constructor's.
        shared: arguments, and flags of somebody else that fill them.
        numbers: arguments that are a number or several, and the bounds of each.
        switch: argument whose flag switches the object on; it has no default.
        only: the only arguments that have flags; all by default.
    """

    constructor: str
    prefix: str = ""
    without: tuple = ()
    needs: Mapping = _EMPTY
    combined: Mapping = _EMPTY
    shared: Mapping = _EMPTY
    numbers: Mapping = _EMPTY
    switch: str | None = None
    only: tuple | None = None

    def flag(self, argument):
        """Returns the name of an argument's flag, its own or a shared one."""
        if argument in self.shared:
            return self.shared[argument]
        last_word = self.prefix.rstrip("_").rpartition("_")[2]
        return f"{self.prefix}{argument.removeprefix(f'{last_word}_')}"

    def default(self, argument, choices):
        """Returns an argument's default.

        Args:
            argument: `launch.signatures.Argument`.
            choices: dictionary from flags to their values.
        """
        value, needed = self.combined.get(argument.name, (None, {}))
        fits = needed and all(choices.get(flag) in names for flag, names in needed.items())
        return value if fits else argument.default


class Kind(NamedTuple):
    """What one flag chooses from.

    Attributes:
        flag: name of the flag.
        rows: dictionary from names to `Row`s; None in the place of one: nothing is built.
        text: help of the flag.
        within: what other flags must be chosen for this one to be read.
        default: the name that is chosen where the flag is left out; None: the recipe's.
        several: whether the flag names a list of rows.
    """

    flag: str
    rows: Mapping
    text: str
    within: Mapping = _EMPTY
    default: str | None = None
    several: bool = False

    def switches(self, name):
        """Returns what must be chosen for a row to be built, as of `read_with`."""
        return {**self.within, self.flag: (name,)}
