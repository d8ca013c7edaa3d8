"""Flags that are lists of numbers, whose type and bounds are checked when they are parsed."""

from absl import flags

flags.disclaim_key_flags()  # they are of the modules that call `define`


class _Numbers(flags.ListParser):
    """Parses a list of numbers between bounds; keeps their text, which is what a run records."""

    def __init__(self, kind, lower_bound, upper_bound):
        super().__init__()
        self._kind, self._bounds = kind, (lower_bound, upper_bound)

    def parse(self, argument):
        texts = super().parse(argument)
        lower, upper = self._bounds
        for text in texts:
            try:
                number = self._kind(text)
                fits = number >= lower and (upper is None or number <= upper)
            except ValueError:
                fits = False
            if not fits:
                kind = "an integer" if self._kind is int else "a number"
                bounds = f"of at least {lower}" if upper is None else f"from {lower} to {upper}"
                raise ValueError(f"each must be {kind} {bounds}, not {text!r}")
        return texts


def define(name, text, kind=float, lower_bound=0, upper_bound=None):
    """Defines a flag that is a list of numbers, None by default.

    Args:
        name: of the flag.
        text: of its help.
        kind: float or int.
        lower_bound: the least that a number may be.
        upper_bound: the most that a number may be; None: anything.

    Example:
        >>> number_flags.define("mask_rates", "Share pruned: one number, or low,high.")
    """
    parser = _Numbers(kind, lower_bound, upper_bound)
    flags.DEFINE(parser, name, None, text, serializer=flags.CsvListSerializer(","))
