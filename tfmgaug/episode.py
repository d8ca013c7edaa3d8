"""Episodes and outcomes: the two records that the parts of the package exchange."""

from typing import Any, NamedTuple

from tfmgaug.types import Tensor


class Episode(NamedTuple):
    """One few-shot task: a support set to adapt on and a query set to be judged by.

    A batch of tasks is the same tuple with a leading task axis.

    Attributes:
        support_x: inputs to adapt on, `[way * shot, height, width, channels]` for images.
        support_y: labels `[way * shot]` from 0 to way - 1, or regression targets.
        query_x: inputs to predict, `[way * query, height, width, channels]` for images.
        query_y: labels `[way * query]`, or regression targets.
        index: int64 scalar; together with a seed it determines every random draw of the task.
    """

    support_x: Any
    support_y: Any
    query_x: Any
    query_y: Any
    index: Any


class Outcome(NamedTuple):
    """How well queries were predicted.

    Attributes:
        loss: mean loss over the queries, float32.
        accuracy: share of queries predicted right, float32; None for regression.
    """

    loss: Any
    accuracy: Any

    def named(self, suffix: str = "") -> dict[str, Tensor]:
        """Returns the measures as a dictionary, without accuracy for regression."""
        return {
            f"{name}{suffix}": value for name, value in self._asdict().items() if value is not None
        }
