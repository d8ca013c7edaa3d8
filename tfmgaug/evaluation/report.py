"""The report of an evaluation, episode by episode and summarized."""

import dataclasses
import math
from typing import Any

import numpy as np

from tfmgaug.evaluation.summary import Summary, summarize

NO_STATISTICS = "none"  # the mode of predictions without batch normalization


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Outcomes of a learner on frozen episodes, before adaptation and after each inner step.

    Attributes:
        name: what was evaluated, e.g. `"FOMAML"`.
        dataset: where the episodes came from, e.g. `"glyphs/test"`.
        way: classes of an episode; None for regression.
        shot: support examples of a class.
        query: query examples of a class.
        seed: seed of the episodes.
        fingerprint: digest of the episodes' contents; reports are comparable if it is equal.
        loss: for each statistics mode the query loss, `[episodes, inner steps + 1]`.
        accuracy: the same for the accuracy; empty for regression.
        seconds: how long it took.
    """

    name: str
    dataset: str
    way: int | None
    shot: int | None
    query: int | None
    seed: int | None
    fingerprint: str
    loss: dict[str, np.ndarray]
    accuracy: dict[str, np.ndarray]
    seconds: float = 0.0

    @property
    def metric(self) -> str:
        """`"accuracy"`, or `"loss"` where accuracy has no meaning."""
        return "accuracy" if self.accuracy else "loss"

    @property
    def statistics(self) -> tuple[str, ...]:
        """The statistics modes that were evaluated."""
        return tuple(getattr(self, self.metric))

    @property
    def episodes(self) -> int:
        """Number of episodes evaluated."""
        return len(self.values())

    @property
    def inner_steps(self) -> int:
        """Number of inner steps; 0 for learners that take none."""
        return self.values().shape[1] - 1

    def values(self, statistics: str | None = None, metric: str | None = None) -> np.ndarray:
        """Per-episode values, for paired comparison and plots.

        Args:
            statistics: a statistics mode of this report; the first by default.
            metric: `"accuracy"` or `"loss"`; by default `Report.metric`.

        Returns:
            `[episodes, inner steps + 1]`; column 0 is before adaptation.

        Raises:
            ValueError: if the report has no such mode or metric.
        """
        columns = {"accuracy": self.accuracy, "loss": self.loss}.get(metric or self.metric)
        if not columns:
            raise ValueError(f"The report of {self.name} has no {metric!r}.")
        statistics = next(iter(columns)) if statistics is None else statistics
        if statistics not in columns:
            raise ValueError(
                f"`statistics` must be one of {tuple(columns)}, the modes of the report of "
                f"{self.name}. Received: statistics={statistics!r}."
            )
        return columns[statistics]

    def summary(
        self, statistics: str | None = None, step: int = -1, metric: str | None = None
    ) -> Summary:
        """Mean, standard deviation and 95 % interval after one inner step.

        Args:
            statistics: a statistics mode; the first by default.
            step: inner step, 0 for before adaptation; the last by default.
            metric: `"accuracy"` or `"loss"`; by default `Report.metric`.

        Returns:
            A `Summary` over the episodes.
        """
        return summarize(self.values(statistics, metric)[:, step])

    def to_json(self, per_episode: bool = False) -> dict:
        """The report as a dictionary that `json.dumps` takes.

        Args:
            per_episode: whether to keep every episode's values, which `Report.from_json` needs.

        Returns:
            Settings, and for each mode and metric mean, standard deviation and interval per
            inner step. Numbers that are not finite become None: JSON has none.
        """
        fields = {
            key: getattr(self, key)
            for key in ("name", "dataset", "way", "shot", "query", "seed", "fingerprint", "seconds")
        }
        results = {
            mode: {
                metric: _columns(values[mode])
                for metric, values in (("accuracy", self.accuracy), ("loss", self.loss))
                if values
            }
            for mode in self.statistics
        }
        kept = {metric: _lists(getattr(self, metric)) for metric in ("accuracy", "loss")}
        return {
            **fields,
            "episodes": self.episodes,
            "inner_steps": self.inner_steps,
            "metric": self.metric,
            "statistics": results,
            **({"per_episode": kept} if per_episode else {}),
        }

    @classmethod
    def from_json(cls, fields: dict) -> "Report":
        """Rebuilds a report from `to_json(per_episode=True)`.

        Args:
            fields: that dictionary.

        Returns:
            An equal report.

        Raises:
            ValueError: if the episodes' values were not kept.
        """
        if "per_episode" not in fields:
            raise ValueError("Expected the episodes' values: write to_json(per_episode=True).")
        names = {field.name for field in dataclasses.fields(cls)} - {"loss", "accuracy"}
        kept: dict[str, Any] = {
            metric: {mode: np.array(rows, np.float64) for mode, rows in modes.items()}
            for metric, modes in fields["per_episode"].items()
        }
        return cls(**{key: fields[key] for key in names}, **kept)

    def table(self, *beside: "Report") -> str:
        """Renders the report as aligned text, other reports on the same episodes beside it.

        Args:
            *beside: e.g. the same learner at initialization, and the pixel floor. A report with
                fewer inner steps stands in the last row, which is its result.

        Returns:
            Lines of text without a final line break: mean ± 95 % interval per inner step.

        Raises:
            ValueError: if the others have another metric.
        """
        reports = (self, *beside)
        if len({report.metric for report in reports}) > 1:
            raise ValueError("Accuracies and losses do not fit in one table.")
        columns = [_row_labels(self.inner_steps)]
        for report in reports:
            columns += [_cells(report, mode, self.inner_steps) for mode in report.statistics]
        widths = [max(map(len, column)) for column in columns]
        lines = []
        for row in zip(*columns, strict=True):
            first, *others = (
                cell.ljust(width) if k == 0 else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            lines.append("   ".join([first, *others]).rstrip())
        return "\n".join([self.title(), "", *lines[:2], "-" * max(map(len, lines)), *lines[2:]])

    def title(self) -> str:
        """One line: metric, data, shape and number of the episodes."""
        shot = f"{self.shot}-shot" if self.shot else ""
        kind = "regression" if self.metric == "loss" else ""
        shape = " ".join(filter(None, [self.way and f"{self.way}-way", shot, kind]))
        unit = ", %" if self.metric == "accuracy" else ""
        return (
            f"Query {self.metric}{unit} on {', '.join(filter(None, [self.dataset, shape]))}: "
            f"mean ± 95 % interval over {self.episodes} episodes"
        )


def _row_labels(inner_steps: int) -> list[str]:
    steps = [f"after step {step}" for step in range(1, inner_steps + 1)]
    return ["", "", *(["before adaptation", *steps] if inner_steps else ["queries"])]


def _cells(report: Report, mode: str, inner_steps: int) -> list[str]:
    """Name, mode and one cell per row; a shorter report ends in the last row."""
    rows = [_cell(report, mode, step) for step in range(report.inner_steps + 1)]
    rows = rows[-(inner_steps + 1) :]
    return [
        report.name,
        mode.replace(NO_STATISTICS, ""),
        *[""] * (inner_steps + 1 - len(rows)),
        *rows,
    ]


def _cell(report: Report, mode: str, step: int) -> str:
    mean, _, interval, _ = report.summary(mode, step)
    if report.metric == "accuracy":
        return f"{100 * mean:.2f} ± {100 * interval:.2f}"
    return f"{mean:.4g} ± {interval:.2g}"


def _columns(values: np.ndarray) -> dict[str, list]:
    summaries = [summarize(column) for column in values.T]
    return {
        key: [_finite(getattr(summary, key)) for summary in summaries]
        for key in ("mean", "standard_deviation", "interval")
    }


def _lists(columns: dict[str, np.ndarray]) -> dict[str, list]:
    return {
        mode: [[_finite(value) for value in row] for row in values.tolist()]
        for mode, values in columns.items()
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
