"""The report of a network and its sub-networks."""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfmgaug.evaluation.summary import Summary, summarize


class Network(NamedTuple):
    """One of the networks that are compared.

    Attributes:
        name: e.g. `"full network"`.
        rate: the pruning rate asked for, 0 for a network that is not pruned.
        pruned: the share that was pruned of the entries that the mask may prune.
    """

    name: str
    rate: float
    pruned: float


# Of the JSON form.
_SETTINGS = (
    *("name", "mask", "reads_query_labels", "statistics", "dataset", "way", "shot", "query"),
    *("seed", "mutually_exclusive", "fingerprint", "metric", "tasks", "steps", "seconds"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class SubnetworkReport:
    """Outcomes of several networks on the same tasks, before adaptation and after each inner step.

    Attributes:
        name: what was analyzed, e.g. `"FOMAML"`.
        networks: the networks; the first is the full one.
        mask: class of the mask that pruned, e.g. `"CatfishMask"`.
        reads_query_labels: whether the mask was scored on the query loss, that is, by the labels
            that the accuracy is about.
        statistics: the batch-normalization mode of the queries.
        dataset: where the tasks came from.
        way: classes of a task; None for regression.
        shot: support examples of a class.
        query: query examples of a class.
        seed: seed of the tasks.
        mutually_exclusive: whether labels were shuffled in every task; None for regression.
        fingerprint: digest of the tasks' contents.
        loss: query loss, `[tasks, networks, steps + 1]`.
        accuracy: query accuracy, 0-1, of the same shape; None for regression.
        seconds: how long it took.
    """

    name: str
    networks: tuple[Network, ...]
    mask: str
    reads_query_labels: bool
    statistics: str
    dataset: str
    way: int | None
    shot: int | None
    query: int | None
    seed: int | None
    mutually_exclusive: bool | None
    fingerprint: str
    loss: np.ndarray
    accuracy: np.ndarray | None
    seconds: float = 0.0

    @property
    def metric(self) -> str:
        """`"accuracy"`, or `"loss"` where accuracy has no meaning."""
        return "loss" if self.accuracy is None else "accuracy"

    @property
    def tasks(self) -> int:
        """Number of tasks, the n of the intervals."""
        return len(self.loss)

    @property
    def steps(self) -> int:
        """Number of inner steps; 0 for learners that take none."""
        return self.loss.shape[2] - 1

    def values(self, metric: str | None = None) -> np.ndarray:
        """Per-task values.

        Args:
            metric: `"accuracy"` or `"loss"`; by default `metric`.

        Returns:
            `[tasks, networks, steps + 1]`.

        Raises:
            ValueError: if there is no such metric.
        """
        values = {"accuracy": self.accuracy, "loss": self.loss}.get(metric or self.metric)
        if values is None:
            raise ValueError(f"The report of {self.name} has no {metric!r}.")
        return values

    def summary(self, network: int, step: int, metric: str | None = None) -> Summary:
        """Mean and 95 % interval of a network after a step.

        Args:
            network: its number in `networks`.
            step: inner step, 0 for before adaptation.
            metric: `"accuracy"` or `"loss"`; by default `metric`.

        Returns:
            A `Summary` over the tasks.
        """
        return summarize(self.values(metric)[:, network, step])

    def gap(self, network: int, step: int, metric: str | None = None) -> Summary:
        """Mean and 95 % interval of a network minus the full one, paired task by task.

        Args:
            network: its number in `networks`.
            step: inner step, 0 for before adaptation.
            metric: `"accuracy"` or `"loss"`; by default `metric`.

        Returns:
            A `Summary` of the differences.
        """
        values = self.values(metric)[:, :, step].astype(np.float64)
        return summarize(values[:, network] - values[:, 0])

    def to_json(self, per_task: bool = True) -> dict:
        """The report as a dictionary that `json.dumps` takes.

        Args:
            per_task: whether to keep every task's values.

        Returns:
            Settings, and for each network its mean, interval and gap to the full network per inner
            step. Numbers that are not finite become None: JSON has none.
        """
        metrics = ["loss"] if self.accuracy is None else ["accuracy", "loss"]
        return {
            **{name: getattr(self, name) for name in _SETTINGS},
            "networks": [
                {
                    **network._asdict(),
                    **{metric: self._columns(number, metric) for metric in metrics},
                }
                for number, network in enumerate(self.networks)
            ],
            **({"per_task": {m: _listed(self.values(m)) for m in metrics}} if per_task else {}),
        }

    def __str__(self) -> str:
        """A row for each network, a column for each inner step: mean ± 95 % interval over tasks."""
        scale, digits = (100, 1) if self.metric == "accuracy" else (1, 3)
        shown = _shown_steps(self.steps)
        rows = [["", "pruned", *(f"step {step}" for step in shown)]]
        for number, network in enumerate(self.networks):
            cells = [self.summary(number, step) for step in shown]
            rows.append(
                [
                    network.name,
                    f"{100 * network.pruned:.3g} %",
                    *(
                        f"{scale * c.mean:.{digits}f} ± {scale * c.interval:.{digits}f}"
                        for c in cells
                    ),
                ]
            )
        return "\n".join([self._title(), *_aligned(rows)])

    def _title(self) -> str:
        shape = f", {self.way}-way {self.shot}-shot" if self.way else ""
        exclusive = "" if self.mutually_exclusive in (True, None) else ", non-mutually-exclusive"
        unit = " (%)" if self.metric == "accuracy" else ""
        labels = ", mask reads query labels" if self.reads_query_labels else ""
        return (
            f"{self.name}: query {self.metric}{unit} on {self.dataset}{shape}{exclusive}, "
            f"mean ± 95 % interval over {self.tasks} tasks, {self.statistics} statistics{labels}"
        )

    def _columns(self, network: int, metric: str) -> dict[str, list]:
        steps = range(self.steps + 1)
        summaries = [self.summary(network, step, metric) for step in steps]
        gaps = [self.gap(network, step, metric) for step in steps]
        return {
            "mean": [_finite(summary.mean) for summary in summaries],
            "interval": [_finite(summary.interval) for summary in summaries],
            "gap": [_finite(summary.mean) for summary in gaps],
            "gap_interval": [_finite(summary.interval) for summary in gaps],
        }


def _listed(values):
    """Nested lists with None for what isn't finite."""
    return [_listed(part) for part in values] if np.ndim(values) else _finite(float(values))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _shown_steps(steps: int, limit: int = 9) -> list[int]:
    """All steps, or every n-th and the last where a line would be too long."""
    every = -(-steps // (limit - 1)) if steps else 1
    return sorted({*range(0, steps + 1, every), steps})


def _aligned(rows: list[list[str]]) -> list[str]:
    """Lines of a table, whose first column stands left and the others right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "   ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))])
        for row in rows
    ]
    return [line.rstrip() for line in lines]


def refuse_mixed_metrics(reports: Sequence[SubnetworkReport], figure: str) -> None:
    """Refuses reports that one figure can't have panels of.

    Args:
        reports: what it is to be drawn of.
        figure: name of the function that draws it.

    Raises:
        ValueError: there are none, or they are of several metrics.
    """
    metrics = {report.metric for report in reports}
    if len(metrics) != 1:
        raise ValueError(
            f"`{figure}` needs at least one report, and all of one metric. "
            f"Received: {len(reports)} reports with metrics {sorted(metrics)}."
        )
