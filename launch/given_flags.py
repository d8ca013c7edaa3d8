"""Flags that were given, and the refusal of those that nothing reads.

Flags of a family are None by default: given is what isn't.
"""


def given(settings, names):
    """Returns the flags that were given.

    Args:
        settings: absl flags.
        names: names of flags.

    Returns:
        A dictionary from names to values, in the order of `names`.
    """
    found = {name: getattr(settings, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def arguments(settings, flags_of):
    """Returns the arguments of a constructor that flags were given for.

    Args:
        settings: absl flags.
        flags_of: dictionary from arguments to the names of their flags.

    Returns:
        A dictionary from arguments to values.
    """
    found = given(settings, flags_of.values())
    return {argument: found[flag] for argument, flag in flags_of.items() if flag in found}


def refuse(names, owner, received):
    """Refuses flags that nothing reads.

    Args:
        names: names of flags; none: nothing is refused.
        owner: what reads them.
        received: the flag that chose another.

    Raises:
        ValueError: there are some.
    """
    if names:
        text = ", ".join(f"--{name}" for name in names)
        raise ValueError(f"These flags belong to {owner}. Received: {text} with {received}.")
