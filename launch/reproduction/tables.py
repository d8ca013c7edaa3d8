"""Our table beside the paper's, as text and as JSON."""

from launch.reproduction.notes import Notes, wrapped

_HEADER = ("", "paper", "ours", "gap", "over seeds", "seeds", "outer steps", "statistics", "data")
_LEFT = (0, 7, 8)  # columns of text


class Row:
    """One cell's numbers, ours and the paper's.

    Args:
        cell: `Cell`.
        outcome: `Outcome`, or None if no run has finished.
        planned_steps: int, the paper's budget in outer steps.
        state: what stands in the place of a missing outcome.
    """

    def __init__(self, cell, outcome, planned_steps, state="not run"):
        self.cell = cell
        self.outcome = outcome
        self.planned_steps = planned_steps
        self.state = state

    @property
    def differences(self):
        """What keeps the two numbers from being compared: flags, and the recipe's departures."""
        return [*(self.outcome.changes if self.outcome else ()), *self.cell.departures]

    @property
    def gap(self):
        """Ours minus the paper's; None: there is none, or the two can't be compared."""
        if self.outcome is None or self.differences:
            return None
        return self.outcome.mean - self.cell.published.mean

    def to_json(self):
        """Returns the row as a dictionary that JSON can hold, numbers in percent."""
        cell, outcome = self.cell, self.outcome
        return {
            "row": cell.row,
            "column": cell.column,
            "recipe": cell.recipe.name,
            "elsewhere": cell.elsewhere,
            "elsewhere_options": list(cell.options),
            "paper": cell.published._asdict(),
            "paper_outer_steps": self.planned_steps,
            "departures": list(cell.departures),
            "gap": self.gap,
            "comparable": bool(outcome) and not self.differences,
            "ours": outcome and outcome._asdict(),
        }


def to_json(paper, table, size, rows, failures):
    """Returns a table as a dictionary that JSON can hold.

    Args:
        paper: `Paper`.
        table: `Table`.
        size: "small" or "full".
        rows: list of `Row`.
        failures: list of `Failure`.
    """
    return {
        "paper": paper.name,
        "table": table.number,
        "caption": table.caption,
        "remark": table.remark,
        "size": size,
        "unit": "percent of queries",
        "cells": [row.to_json() for row in rows],
        "failures": [
            {"run": str(failure.run.path), "reason": failure.reason, "log": str(failure.run.log)}
            for failure in failures
        ],
    }


def text(paper, table, rows):
    """Formats a table, one block for each column of the paper's.

    Args:
        paper: `Paper`.
        table: `Table`.
        rows: list of `Row`.

    Returns:
        Lines of text.
    """
    notes = Notes("hence no gap")
    blocks = {}
    for row in rows:
        blocks.setdefault(row.cell.column, []).append(_cells(row, notes))
    widths = _widths([_HEADER, *(cells for block in blocks.values() for cells in block)], blocks)
    lines = [f"{paper.name}, {table.title}: {table.caption}, query accuracy in %", ""]
    for column, block in blocks.items():
        header = _line((column, *_HEADER[1:]), widths)
        lines += [header, "-" * len(header), *(_line(cells, widths) for cells in block), ""]
    return "\n".join([*lines, *_legend(table, rows), *notes.lines()])


def _cells(row, notes):
    outcome, label, paper = row.outcome, row.cell.row, str(row.cell.published)
    if outcome is None:
        return (label, paper, row.state, *[""] * (len(_HEADER) - 3))
    gap, steps = row.gap, f"{outcome.outer_steps:,}"
    if outcome.outer_steps != row.planned_steps:
        steps += f" of {row.planned_steps:,}"
    return (
        label,
        paper,
        f"{outcome.mean:.2f} ± {outcome.over_episodes:.2f}",
        notes.mark(row.differences) if gap is None else f"{gap:+.2f}",
        "-" if outcome.over_seeds is None else f"± {outcome.over_seeds:.2f}",
        str(len(outcome.seeds)),
        steps,
        outcome.statistics,
        outcome.dataset,
    )


def _widths(lines, blocks):
    widths = [max(map(len, column)) for column in zip(*lines)]
    return [max(widths[0], *map(len, blocks)), *widths[1:]]


def _line(cells, widths):
    aligned = (
        cell.ljust(width) if n in _LEFT else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(cells, widths))
    )
    return "  ".join(aligned).rstrip()


def _legend(table, rows):
    outcomes = [row.outcome for row in rows if row.outcome]
    if not outcomes:
        return [wrapped(table.remark)]
    episodes = sorted({outcome.episodes for outcome in outcomes})
    return [
        f"ours: mean over seeds ± 95 % interval over {' or '.join(map(str, episodes))} test "
        "episodes, the same for all seeds.",
        "over seeds: 95 % interval of the same mean over seeds (Student's t). "
        "gap: ours minus the paper's.",
        "statistics: what normalizes queries in the test. outer steps: the budget of a run.",
        wrapped(table.remark),
    ]
