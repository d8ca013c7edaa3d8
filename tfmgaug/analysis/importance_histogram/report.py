"""The report of the distribution of MMCA scores."""

import dataclasses

import numpy as np

from tfmgaug.evaluation.summary import Summary, summarize

# Weights by rank: what catfish pruning removes, what pruning for size would, and between.
PARTS = ("pruned", "between", "least")
# Of the JSON form.
_SETTINGS = (
    *("name", "rate", "dataset", "way", "shot", "query"),
    *("seed", "mutually_exclusive", "fingerprint", "seconds"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Importance:
    """The distribution of MMCA scores in each layer, over tasks.

    Weights are told apart by rank, task by task and layer by layer: `PARTS` are those that catfish
    pruning removes (the highest scores), those between, and the least ones, as many as the first,
    which pruning for size would remove.

    Attributes:
        name: what was analyzed, e.g. `"FOMAML"`.
        rate: share pruned.
        layers: names of the layers that can be pruned.
        sizes: number of weights of each layer.
        edges: of the bins, `[bins + 1]`; scores, in units of the loss.
        counts: number of weights, `[tasks, layers, 3, 1 + bins]`; before the first bin stand scores
            of zero (below `edges[0]`).
        totals: sums of scores, `[tasks, layers, 3]`.
        dataset, way, shot, query, seed, mutually_exclusive, fingerprint: which tasks.
        seconds: how long it took.
    """

    name: str
    rate: float
    layers: tuple[str, ...]
    sizes: tuple[int, ...]
    edges: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    dataset: str
    way: int | None
    shot: int | None
    query: int | None
    seed: int | None
    mutually_exclusive: bool | None
    fingerprint: str
    seconds: float = 0.0

    def number(self, layer: str | None = None) -> int:
        """Returns the number of a layer; of the last one by default.

        Raises:
            ValueError: there is no such layer.
        """
        if layer is None:
            return len(self.layers) - 1
        if layer not in self.layers:
            raise ValueError(f"`layer` must be one of {self.layers}. Received: {layer!r}.")
        return self.layers.index(layer)

    def carried(self, part: str, layer: str | None = None) -> Summary:
        """The share of a layer's MMCA that a part of its weights carries, over tasks.

        Args:
            part: one of `PARTS`.
            layer: name; the last layer by default.

        Returns:
            A `Summary` of shares, 0-1.
        """
        totals = self.totals[:, self.number(layer)].astype(np.float64)
        whole = np.maximum(totals.sum(axis=1), np.finfo(np.float64).tiny)
        return summarize(totals[:, PARTS.index(part)] / whole)

    def to_json(self) -> dict:
        """The distribution as a dictionary that `json.dumps` takes.

        Returns:
            Settings; for each layer, the mean number of weights in each bin that is not empty, and
            the share of its MMCA that each part carries.
        """
        return {
            **{name: getattr(self, name) for name in _SETTINGS},
            "tasks": len(self.counts),
            "reads_query_labels": True,
            "layers": {name: self._layer(name) for name in self.layers},
        }

    def _layer(self, layer: str) -> dict:
        counts = self.counts[:, self.number(layer)].mean(axis=0)  # [3, 1 + bins]
        filled = np.flatnonzero(counts[:, 1:].sum(axis=0))
        first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, 0)
        carried = {part: self.carried(part, layer) for part in PARTS}
        return {
            "weights": self.sizes[self.number(layer)],
            "bin_edges": self.edges[first : last + 1].tolist(),
            "mean_counts": {
                part: row[1 + first : 1 + last].tolist() for part, row in zip(PARTS, counts)
            },
            "mean_count_of_zero_scores": float(counts[:, 0].sum()),
            "share_of_mmca": {
                part: {"mean": summary.mean, "interval": summary.interval}
                for part, summary in carried.items()
            },
        }
