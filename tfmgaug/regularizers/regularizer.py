"""The base of regularizers."""

from collections.abc import Iterable

import keras

from tfmgaug.configured import Configured
from tfmgaug.engine import hooks
from tfmgaug.types import Learner


class Regularizer(Configured):
    """Takes part in training, never in evaluation.

    Subclasses have the methods of one or two protocols of `tfmgaug.engine.hooks`. All of one task
    are called with tensors and return tensors; those that draw get a stateless key of their own.

    Args:
        subnetworks: bool, whether it acts on MGAug's sub-networks as on the full network.
    """

    def __init__(self, subnetworks: bool = False) -> None:
        self.subnetworks = subnetworks

    def attach(self, learner: Learner) -> None:
        """Looks at the learner before it trains, refuses it, or makes variables.

        Args:
            learner: `MetaLearner`.

        Raises:
            ValueError: this regularizer has no meaning for it; the error says why.
        """

    @property
    def variables(self) -> list[keras.Variable]:
        """Variables that the outer loop learns beside the learner's own."""
        return []


def check(regularizers: Iterable[Regularizer]) -> list[Regularizer]:
    """Returns the list of regularizers, if they can act together.

    Args:
        regularizers: sequence of `Regularizer`.

    Raises:
        TypeError: there is something else among them.
        ValueError: one stands twice in the list or has variables of another learner, or two replace
            the loss over the queries.
    """
    regularizers = list(regularizers)
    for one in regularizers:
        if not isinstance(one, Regularizer):
            raise TypeError(
                f"`regularizers` must be of tfmgaug.regularizers.Regularizer. Received: {one!r}."
            )
        if not isinstance(one, hooks.PROTOCOLS):
            raise TypeError(
                "A regularizer must have the methods of a protocol of tfmgaug.engine.hooks, such "
                f"as `penalty(run)`. Received: {one!r}, which has none."
            )
    if len({id(one) for one in regularizers}) < len(regularizers):
        raise ValueError("`regularizers` must be distinct. Received: the same one twice.")
    taken = [type(one).__name__ for one in regularizers if one.variables]
    if taken:
        raise ValueError(
            "A regularizer with variables serves one learner: build another for the next. "
            f"Received: {', '.join(taken)}, of another learner."
        )
    replacing = [type(one).__name__ for one in hooks.having(hooks.ReplacesOutcome, regularizers)]
    if len(replacing) > 1:
        raise ValueError(
            "At most one regularizer can replace the loss over the queries. "
            f"Received: {', '.join(replacing)}."
        )
    return regularizers
