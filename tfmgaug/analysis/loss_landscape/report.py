"""The report of the loss landscape."""

import dataclasses

import numpy as np

from tfmgaug.analysis.loss_landscape.coherence import summarize_pairs
from tfmgaug.evaluation.summary import Summary, summarize

# Of the names of logs.
PREFIX = "landscape/"
# Of pairs of tasks, all others of tasks.
PAIRWISE = ("trajectory_coherence", "gradient_coherence", "gradient_cosine")

# Of the JSON form.
_SETTINGS = (
    *("name", "steps", "statistics", "dataset", "way", "shot", "query"),
    *("seed", "fingerprint", "tasks", "tolerance", "converged", "seconds"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Landscape:
    """Properties of the support loss at and between the weights before and after adaptation.

    Attributes:
        name: what was measured, e.g. `"FOMAML"`.
        steps: inner steps of the adaptation.
        statistics: the batch-normalization mode of the queries.
        dataset: where the tasks came from.
        way: classes of a task; None for regression.
        shot: support examples of a class.
        query: query examples of a class.
        seed: seed of the tasks.
        fingerprint: digest of the tasks' contents.
        values: dictionary of arrays `[tasks]`. After adaptation: "support_loss", "query_loss",
            "query_accuracy" (not for regression) and "curvature" (the spectral norm of the support
            loss's Hessian, unless left out); "trajectory_norm", of adapted minus initial weights;
            and what a task has in common with the others on average: "trajectory_coherence"
            (cosine of adapted minus initial weights), "gradient_coherence" (inner product of
            negative support gradients at the initial weights), "gradient_cosine".
        iterations: products with the Hessian that each task's curvature took, `[tasks]`, or None.
        residuals: how far each curvature may be from an eigenvalue, relatively, `[tasks]`, or None.
        tolerance: what residuals were to come below.
        seconds: how long it took.
    """

    name: str
    steps: int
    statistics: str
    dataset: str
    way: int | None
    shot: int | None
    query: int | None
    seed: int | None
    fingerprint: str
    values: dict[str, np.ndarray]
    iterations: np.ndarray | None
    residuals: np.ndarray | None
    tolerance: float
    seconds: float = 0.0

    @property
    def tasks(self) -> int:
        """Number of tasks, the n of the intervals."""
        return len(self.values["support_loss"])

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names in `values`."""
        return tuple(self.values)

    @property
    def converged(self) -> float | None:
        """The share of tasks whose curvature came within the tolerance."""
        if self.residuals is None:
            return None
        return float(np.mean(self.residuals <= self.tolerance))

    def summary(self, metric: str) -> Summary:
        """Mean, standard deviation over tasks and 95 % interval of the mean.

        Args:
            metric: a name in `values`.

        Returns:
            A `Summary`.

        Raises:
            ValueError: if there is no such metric.
        """
        if metric not in self.values:
            raise ValueError(
                f"`metric` must be one of {', '.join(self.values)}. Received: {metric!r}."
            )
        return (summarize_pairs if metric in PAIRWISE else summarize)(self.values[metric])

    def logs(self, prefix: str = "") -> dict[str, float]:
        """The report as a row of logs.

        Args:
            prefix: of all names.

        Returns:
            For each metric `<metric>`, the mean, `<metric>_deviation` and `<metric>_interval`; and
            "seconds", with curvature also "iterations" and "converged".
        """
        logs = {}
        for metric in self.metrics:
            summary = self.summary(metric)
            logs[f"{prefix}{metric}"] = summary.mean
            logs[f"{prefix}{metric}_deviation"] = summary.standard_deviation
            logs[f"{prefix}{metric}_interval"] = summary.interval
        if self.iterations is not None:
            logs[f"{prefix}iterations"] = float(self.iterations.mean())
            logs[f"{prefix}converged"] = self.converged
        return {**logs, f"{prefix}seconds": self.seconds}

    def to_json(self, per_task: bool = True) -> dict:
        """The report as a dictionary that `json.dumps` takes.

        Args:
            per_task: whether to keep every task's values.

        Returns:
            Settings, and each metric's mean, standard deviation and interval.
        """
        columns = ("mean", "standard_deviation", "interval")
        summaries = {metric: self.summary(metric) for metric in self.metrics}
        return {
            **{name: getattr(self, name) for name in _SETTINGS},
            "iterations": None if self.iterations is None else self.iterations.tolist(),
            "metrics": {
                metric: {name: getattr(summary, name) for name in columns}
                for metric, summary in summaries.items()
            },
            **({"per_task": {m: v.tolist() for m, v in self.values.items()}} if per_task else {}),
        }

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.tasks} tasks of {self.dataset}, {self.steps} inner steps, "
            f"{self.statistics} statistics, {self.seconds:.1f} s"
        ]
        for metric in self.metrics:
            summary = self.summary(metric)
            lines.append(
                f"  {metric:20} {summary.mean:10.4g} ± {summary.interval:<9.2g} "
                f"(standard deviation over tasks {summary.standard_deviation:.3g})"
            )
        if self.iterations is not None:
            lines.append(
                f"  curvature: {self.iterations.mean():.1f} products with the Hessian a task, "
                f"{100 * self.converged:.0f} % of tasks within {self.tolerance:g}"
            )
        return "\n".join(lines)
