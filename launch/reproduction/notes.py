"""Numbered remarks on what is not a paper's experiment."""

import textwrap

_WIDTH = 110


class Notes:
    """Remarks, each of them once.

    Args:
        consequence: what follows for the reader, which ends the first half of each sentence.
    """

    def __init__(self, consequence):
        self._consequence = consequence
        self._numbers = {}

    def mark(self, differences):
        """Returns the mark of a remark, such as "[1]".

        Args:
            differences: texts, what differs from the paper, whose own is in brackets.
        """
        return f"[{self._numbers.setdefault(tuple(differences), len(self._numbers) + 1)}]"

    def lines(self):
        """Returns the remarks, a text for each."""
        return [
            wrapped(
                f"[{number}] NOT the paper's experiment (its own setting in brackets), "
                f"{self._consequence}: {', '.join(differences)}"
            )
            for differences, number in self._numbers.items()
        ]


def wrapped(text):
    """Breaks a text into lines, all but the first indented."""
    return textwrap.fill(text, _WIDTH, subsequent_indent="    ", break_on_hyphens=False)
