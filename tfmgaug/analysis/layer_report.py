"""The report of a measure of each layer."""

import dataclasses
import math

import numpy as np

from tfmgaug.evaluation.summary import Summary, summarize


@dataclasses.dataclass(frozen=True, eq=False)
class LayerReport:
    """A number or several for each layer and task.

    Attributes:
        name: what was analyzed, e.g. `"FOMAML"`.
        layers: names of the layers, stages or weights, in their order in the network.
        values: arrays `[tasks, layers]` by the name of what was measured.
        dataset: where the tasks came from.
        way: classes of a task; None for regression.
        shot: support examples of a class.
        query: query examples of a class.
        seed: seed of the tasks.
        mutually_exclusive: whether labels were shuffled in every task; None for regression.
        fingerprint: digest of the tasks' contents.
        statistics: the batch-normalization mode of the queries; None where no query was looked at.
        seconds: how long it took.
    """

    name: str
    layers: tuple[str, ...]
    values: dict[str, np.ndarray]
    dataset: str
    way: int | None
    shot: int | None
    query: int | None
    seed: int | None
    mutually_exclusive: bool | None
    fingerprint: str
    statistics: str | None = None
    seconds: float = 0.0

    @property
    def tasks(self) -> int:
        """Number of tasks, the n of the intervals."""
        return len(next(iter(self.values.values())))

    def summary(self, measure: str, layer: str) -> Summary:
        """Mean and 95 % interval over tasks.

        Args:
            measure: what was measured.
            layer: name of the layer.

        Returns:
            A `Summary` over the tasks for which the measure is defined; its mean and interval are
            NaN where there are fewer than two.

        Raises:
            ValueError: there is no such measure or layer.
        """
        if measure not in self.values or layer not in self.layers:
            raise ValueError(
                f"Expected one of {sorted(self.values)} of one of {list(self.layers)}. "
                f"Received: {measure!r} of {layer!r}."
            )
        column = self.values[measure][:, self.layers.index(layer)]
        defined = column[np.isfinite(column)]
        if len(defined) < 2:
            return Summary(math.nan, math.nan, math.nan, len(defined))
        return summarize(defined)

    def to_json(self) -> dict:
        """The report as a dictionary that `json.dumps` takes.

        Returns:
            Settings; for each layer and measure the mean, the interval, and the number of tasks for
            which it is defined. What is not defined becomes None.
        """
        left_out = ("layers", "values")
        fields = [field.name for field in dataclasses.fields(self) if field.name not in left_out]
        return {
            **{name: getattr(self, name) for name in fields},
            "tasks": self.tasks,
            "layers": {
                layer: {measure: self._described(measure, layer) for measure in self.values}
                for layer in self.layers
            },
        }

    def _described(self, measure: str, layer: str) -> dict:
        summary = self.summary(measure, layer)
        defined = math.isfinite(summary.mean)
        return {
            "mean": summary.mean if defined else None,
            "interval": summary.interval if defined else None,
            "tasks": summary.episodes,
        }
