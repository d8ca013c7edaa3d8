"""The parts of a paper: tables and figures, and the runs that they need."""

import dataclasses
from typing import NamedTuple

IN_TEXT = 0  # in place of a table's number: its numbers stand in the text


class Published(NamedTuple):
    """A number as the paper prints it.

    Attributes:
        mean: accuracy in percent.
        interval: what stands after the ±, in percent; None: nothing does.
    """

    mean: float
    interval: float | None

    def __str__(self):
        """The number as tables show it."""
        return (
            f"{self.mean:.2f}"
            if self.interval is None
            else f"{self.mean:.2f} ± {self.interval:.2f}"
        )


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of a run.

    Attributes:
        name: its name for `launch.train --recipe=`, such as
            "mgaug/table1/cub/5-shot/conv4/protonet+cp". No other recipe has it.
        full: dictionary of flags of `launch.train`, the paper's experiment.
        small: dictionary of flags, the same made for two cores and without data.
    """

    name: str
    full: dict = dataclasses.field(compare=False, repr=False)
    small: dict = dataclasses.field(compare=False, repr=False)

    def of(self, size):
        """Returns the name and the settings of one form.

        Args:
            size: "small" or "full".
        """
        return (f"{self.name}/small", self.small) if size == "small" else (self.name, self.full)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes:
        row: its label.
        column: its label.
        recipe: `Recipe` of the run that gives it.
        published: `Published`.
        elsewhere: the data set, of --data, that the run is evaluated on; None for its own.
        options: further flags of `launch.evaluate`, of its evaluation elsewhere.
        departures: what the recipe does otherwise than the paper, which is in brackets: texts.
            Numbers can't be compared where there are some.
    """

    row: str
    column: str
    recipe: Recipe
    published: Published
    elsewhere: str | None = None
    options: tuple[str, ...] = ()
    departures: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of accuracies.

    Attributes:
        number: in the paper, or `IN_TEXT`.
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

    @property
    def title(self):
        """Where in the paper its numbers stand."""
        return "numbers of the text" if self.number == IN_TEXT else f"Table {self.number}"


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
        return [
            (label, recipe)
            for label, recipes in self.runs.items()
            for recipe in ([recipes] if isinstance(recipes, Recipe) else recipes)
        ]


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
        others: tuple of `Recipe`, experiments that the text names and no table or figure here has.
    """

    name: str
    title: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    others: tuple[Recipe, ...] = ()

    @property
    def recipes(self):
        """The recipes of all cells and panels, and the others, each once."""
        cells = [cell.recipe for table in self.tables for cell in table.cells]
        panels = [panel for figure in self.figures for panel in figure.panels]
        drawn = [recipe for panel in panels for _, recipe in panel.labeled()]
        return list(dict.fromkeys([*cells, *drawn, *self.others]))

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


def read_table(
    number,
    caption,
    remark,
    printed,
    rows,
    columns,
    recipe,
    elsewhere=None,
    options=None,
    departures=None,
):
    """Reads a table as it is printed.

    Args:
        number: in the paper.
        caption: what it shows.
        remark: how its numbers are to be read.
        printed: a line for each row: its label, then one `mean±interval` for each column.
        rows: dictionary from the labels of the rows to what `recipe` knows them by.
        columns: dictionary from the labels of the columns to what `recipe` knows them by.
        recipe: function of a row and a column that returns their `Recipe`.
        elsewhere: dictionary from labels of columns to the data set that their runs are evaluated
            on, if it isn't the runs' own.
        options: dictionary from labels of columns to further flags of these evaluations.
        departures: dictionary from labels of columns to what their recipes do otherwise than the
            paper.

    Returns:
        A `Table`.

    Raises:
        ValueError: rows or columns are missing, or in another order.
    """
    lines = [_read_line(line) for line in printed.strip().splitlines()]
    labels = [label for label, _ in lines]
    if labels != list(rows) or any(len(numbers) != len(columns) for _, numbers in lines):
        raise ValueError(f"Expected rows {list(rows)} of {len(columns)} numbers. Received: {lines}")
    cells = [
        Cell(
            *(row, column, recipe(rows[row], columns[column]), published),
            (elsewhere or {}).get(column),
            (options or {}).get(column, ()),
            (departures or {}).get(column, ()),
        )
        for row, numbers in lines
        for column, published in zip(columns, numbers)
    ]
    return Table(number, caption, remark, tuple(rows), tuple(columns), tuple(cells))


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
