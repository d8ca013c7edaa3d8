"""The choice of a table's cells by the words of --cells."""

import re


def select(table, selections):
    """Chooses cells by words of their labels.

    Args:
        table: `Table`.
        selections: list of texts of words with slashes between them, such as "cub/1-shot/cp". A
            cell is chosen if its labels have all words of one of them; none chooses all cells.

    Returns:
        A list of `Cell`, in the table's order.

    Raises:
        ValueError: a selection fits no cell.
    """
    wanted = [{_plain(word) for word in re.split(r"[/\s]+", text.strip())} for text in selections]
    known = {cell: _words(f"{cell.row} {cell.column}") for cell in table.cells}
    for text, words in zip(selections, wanted):
        if not any(words <= label_words for label_words in known.values()):
            raise ValueError(
                f"--cells={text} fits no cell of the table. Its words are those of the rows "
                f"{', '.join(table.rows)}, and of the columns {', '.join(table.columns)}."
            )
    return [
        cell for cell in table.cells if not wanted or any(words <= known[cell] for words in wanted)
    ]


def _words(label):
    """The words that select a label: its words, and the parts of those that have a hyphen."""
    words = [word for word in re.split(r"[\s+]+", label) if word]
    parts = [part for word in words for part in word.split("-")]
    return {_plain(word) for word in [*words, *parts]}


def _plain(word):
    return re.sub(r"\W", "", word).lower()
