"""What a paper's tables and figures consist of, and which runs each of them needs."""

import dataclasses
from typing import NamedTuple


class Published(NamedTuple):
    """A number as the paper prints it.

    Attributes:
        mean: accuracy in percent.
        interval: what stands after the ±, in percent.
    """

    mean: float
    interval: float


class Recipe(NamedTuple):
    """What a run is made of.

    Attributes:
        files: names of files in launch/recipes, without their ending; later ones win.
        small: names of those that make the small form of it, after all others.
    """

    files: tuple[str, ...]
    small: tuple[str, ...] = ("small",)

    @property
    def name(self):
        """A name that no other recipe has."""
        return "+".join(self.files)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes:
        row: its label.
        column: its label.
        recipe: `Recipe` of the run that gives it.
        published: `Published`.
        elsewhere: the data set, of --data, that the run is evaluated on; None for its own.
    """

    row: str
    column: str
    recipe: Recipe
    published: Published
    elsewhere: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of accuracies.

    Attributes:
        number: in the paper.
        caption: what it shows.
        remark: how its numbers are to be read, or "".
        rows: labels, in the paper's order.
        columns: labels, in the paper's order.
        cells: tuple of `Cell`, row by row.
    """

    number: int
    caption: str
    remark: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclasses.dataclass(frozen=True)
class Panel:
    """One picture of a figure: an analysis of some runs.

    Attributes:
        name: its file name, without an ending.
        analysis: of `launch.analyze`.
        runs: dictionary from labels to `Recipe`, or to a list of those that share the label.
        options: further flags of `launch.analyze`.
    """

    name: str
    analysis: str
    runs: dict[str, Recipe | list[Recipe]]
    options: tuple[str, ...] = ()

    def labeled(self):
        """Returns pairs of a label and a recipe, a label of several recipes several times."""
        lists = {n: [own] if isinstance(own, Recipe) else own for n, own in self.runs.items()}
        return [(label, recipe) for label, recipes in lists.items() for recipe in recipes]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        number: in the paper.
        caption: what it shows.
        remark: what we chose where the paper is silent, or "".
        panels: tuple of `Panel`; empty if the figure shows no data.
    """

    number: int
    caption: str
    remark: str
    panels: tuple[Panel, ...] = ()


@dataclasses.dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes:
        name: short.
        title: its own.
        tables: tuple of `Table`.
        figures: tuple of `Figure`.
    """

    name: str
    title: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]

    @property
    def recipes(self):
        """The recipes of all cells and panels, each once."""
        cells = [cell.recipe for table in self.tables for cell in table.cells]
        panels = [panel for figure in self.figures for panel in figure.panels]
        drawn = [recipe for panel in panels for _, recipe in panel.labeled()]
        return list(dict.fromkeys([*cells, *drawn]))

    def table(self, number):
        """Returns a table by its number in the paper.

        Raises:
            ValueError: there is none.
        """
        return _by_number(self.tables, number, f"--table of {self.name}")

    def figure(self, number):
        """Returns a figure by its number in the paper.

        Raises:
            ValueError: there is none.
        """
        return _by_number(self.figures, number, f"--figure of {self.name}")


def read_table(number, caption, remark, printed, rows, columns, small=lambda files: ("small",)):
    """Reads a table as it is printed.

    Args:
        number: in the paper.
        caption: what it shows.
        remark: how its numbers are to be read.
        printed: a line for each row: its label, then one `mean±interval` for each column.
        rows: dictionary from the labels of the rows to the recipe files that each adds, or to a
            function from the file of a column to those.
        columns: dictionary from the labels of the columns to the recipe file of each, or to the
            file and the data set that its runs are evaluated on.
        small: function from the files of a recipe to those that make its small form.

    Returns:
        A `Table`.

    Raises:
        ValueError: rows or columns are missing, or in another order.
    """
    lines = [_read_line(line) for line in printed.strip().splitlines()]
    labels = [label for label, _ in lines]
    if labels != list(rows) or any(len(numbers) != len(columns) for _, numbers in lines):
        raise ValueError(f"Expected rows {list(rows)} of {len(columns)} numbers. Received: {lines}")
    where = {
        column: (given, None) if isinstance(given, str) else given
        for column, given in columns.items()
    }
    cells = [
        Cell(row, column, Recipe(files, small(files)), published, elsewhere)
        for row, numbers in lines
        for (column, (family, elsewhere)), published in zip(where.items(), numbers)
        for files in [(family, *_added(rows[row], family))]
    ]
    return Table(number, caption, remark, tuple(rows), tuple(columns), tuple(cells))


def _added(files, family):
    return files(family) if callable(files) else files


def _read_line(line):
    words = line.split()
    numbers = [word for word in words if "±" in word]
    label = " ".join(word for word in words if "±" not in word)
    return label, [Published(*map(float, number.split("±"))) for number in numbers]


def _by_number(entries, number, what):
    for entry in entries:
        if entry.number == number:
            return entry
    known = ", ".join(str(entry.number) for entry in entries)
    raise ValueError(f"{what} must be one of {known}. Received: {number}.")
