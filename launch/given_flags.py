"""Flags that were given, and the refusal of those that nothing reads.

A table, `READ_WITH`, says what else must be chosen for a flag to be read:
`{"mask_rates": read_with(mask=("catfish", "parameter", "width"))}`; those of constructors' flags
are made by `launch.constructor_flags`. A flag that is in no table is always read. The tables are
checked before anything is imported or loaded.
"""

from typing import Any, NamedTuple

from absl import flags

GIVEN = "given"  # of a switch: any value that turns it on


class Switch(NamedTuple):
    """A flag that must have one of some values for another flag to be read.

    Attributes:
        flag: its name.
        values: tuple of these values, of which None stands for a flag that is left out; or `GIVEN`.
    """

    flag: str
    values: Any

    def is_on(self, settings):
        """Whether it has one of the values; of a list, whether one of its entries has."""
        value = getattr(settings, self.flag)
        if self.values is GIVEN:
            return bool(value)
        if isinstance(value, list):
            return any(entry in self.values for entry in value)
        return value in self.values

    def __str__(self):
        if self.values is GIVEN:
            return f"--{self.flag}"
        if self.values == (False,):
            return f"--no{self.flag}"
        *others, last = (str(value) for value in self.values if value is not None)
        names = f"{', '.join(others)} or {last}" if others else last
        return f"--{self.flag}={names}"


def read_with(**switches):
    """Makes the condition under which a flag is read.

    Args:
        **switches: names of other flags, and tuples of the values that they must have, or `GIVEN`.

    Returns:
        A tuple of `Switch`, all of which must be on.
    """
    return tuple(Switch(flag, values) for flag, values in switches.items())


def present(names):
    """Returns those flags that stand on the command line or in a flagfile.

    Args:
        names: names of flags.

    Returns:
        A list of names.
    """
    return [name for name in names if flags.FLAGS[name].present]


def idle(settings, names, tables):
    """Finds flags that nothing reads.

    Args:
        settings: absl flags.
        names: names of the flags that were given.
        tables: dictionary from names to tuples of `Switch`.

    Returns:
        A dictionary from the `Switch` that is off to the names of the flags that need it.
    """
    unread = {}
    for name in names:
        off = [switch for switch in tables.get(name, ()) if not switch.is_on(settings)]
        if off:
            unread.setdefault(off[0], []).append(name)
    return unread


def refuse_idle(settings, names, tables):
    """Refuses flags that were given and that nothing reads.

    Args:
        settings: absl flags.
        names: names of the flags that were given.
        tables: dictionary from names to tuples of `Switch`.

    Raises:
        ValueError: there are some; the message names them, and what would read them.
    """
    unread = idle(settings, names, tables)
    if unread:
        raise ValueError(" ".join(_sentence(settings, *entry) for entry in unread.items()))


def _sentence(settings, switch, names):
    value = getattr(settings, switch.flag)
    value = ",".join(map(str, value)) if isinstance(value, list) else value
    received = f"with --{switch.flag}={value}" if value else f"without --{switch.flag}"
    received = f"with --{switch.flag}" if value is True else received
    text = ", ".join(f"--{name}" for name in names)
    subject = "These flags belong" if names[1:] else "This flag belongs"
    return f"{subject} to {switch}. Received: {text} {received}."
