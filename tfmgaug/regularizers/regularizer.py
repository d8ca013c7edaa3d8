"""The base class of regularizers, and the check that several can act together."""

from collections.abc import Iterable, Sequence

import keras

from tfmgaug.configured import Configured
from tfmgaug.engine import hooks
from tfmgaug.types import Learner


class Regularizer(Configured):
    """Takes part in training, never in evaluation.

    Subclasses have the methods of one or two protocols of `tfmgaug.engine.hooks`. These are called
    for a single task; those that draw random numbers get a stateless key.

    Args:
        subnetworks: bool, whether it acts on MGAug's sub-networks as on the full network.
    """

    def __init__(self, subnetworks: bool = False) -> None:
        self.subnetworks = subnetworks

    def attach(self, learner: Learner) -> None:
        """Prepares for a learner: refuses what does not fit, and makes variables.

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
    if isinstance(regularizers, Regularizer) or not isinstance(regularizers, Iterable):
        raise TypeError(
            f"`regularizers` must be a list, such as [GradDrop(0.1)]. Received: {regularizers!r}."
        )
    regularizers = list(regularizers)
    for regularizer in regularizers:
        if not isinstance(regularizer, Regularizer):
            raise TypeError(
                "`regularizers` must be of tfmgaug.regularizers.Regularizer. "
                f"Received: {regularizer!r}."
            )
        if not hasattr(regularizer, "subnetworks"):
            raise TypeError(
                f"`{type(regularizer).__name__}.__init__` must call `super().__init__()`. "
                "Received: a regularizer whose base class was not set up."
            )
        if not isinstance(regularizer, hooks.PROTOCOLS):
            raise TypeError(
                "A regularizer must have the methods of a protocol of tfmgaug.engine.hooks, such "
                f"as `penalty(run)`. Received: {regularizer!r}, which has none."
            )
    if len({id(regularizer) for regularizer in regularizers}) < len(regularizers):
        raise ValueError("`regularizers` must be distinct. Received: the same one twice.")
    taken = [type(entry).__name__ for entry in regularizers if entry.variables]
    if taken:
        raise ValueError(
            "A regularizer with variables serves one learner: build another for the next. "
            f"Received: {', '.join(taken)}, of another learner."
        )
    replacing = [
        type(entry).__name__ for entry in hooks.having(hooks.ReplacesOutcome, regularizers)
    ]
    if len(replacing) > 1:
        raise ValueError(
            "At most one regularizer can replace the loss over the queries. "
            f"Received: {', '.join(replacing)}."
        )
    return regularizers


def check_places(regularizer: Regularizer, layers: Sequence[str]) -> None:
    """Refuses places of activations that no layer has, where a regularizer would do nothing.

    Args:
        regularizer: attached to a learner.
        layers: names of the backbone's layers.

    Raises:
        TypeError: places are no tuple or list of names.
        ValueError: a place is no layer's name.
    """
    for attribute in ("places", "class_places"):
        places = getattr(regularizer, attribute, ())
        if isinstance(places, str):
            raise TypeError(
                f"`{attribute}` of {type(regularizer).__name__} must be a tuple of layers' names. "
                f"Received: {places!r}."
            )
        unknown = [place for place in places if place not in layers]
        if unknown:
            raise ValueError(
                f"`{attribute}` of {type(regularizer).__name__} must be names of the backbone's "
                f"layers: {', '.join(layers)}. Received: {', '.join(map(repr, unknown))}."
            )
