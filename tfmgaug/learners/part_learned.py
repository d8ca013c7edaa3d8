"""The variables that the outer loop learns, as Keras sees them."""

from collections.abc import Iterable
from typing import Any

import keras

from tfmgaug.types import Learner


class PartLearned(keras.Model):
    """Lets Keras count as trainable what the outer loop learns, and the rest as not.

    Weights that are not meta-learned still are trainable variables of the backbone, or they could
    not adapt. Their order is that of the optimizer, which averages them by their place (`use_ema`).
    """

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        return self.meta_variables

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        return self.meta_variables

    @property
    def non_trainable_variables(self) -> list[keras.Variable]:
        return without(self.variables, self.meta_variables)

    @property
    def non_trainable_weights(self) -> list[keras.Variable]:
        return without(self.weights, self.meta_variables)


def without(
    variables: Iterable[keras.Variable], left_out: Iterable[keras.Variable]
) -> list[keras.Variable]:
    """Returns the variables that are not among those left out."""
    left_out = {variable.path for variable in left_out}
    return [variable for variable in variables if variable.path not in left_out]


def fixed(learner: Learner, kwargs: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Fixes settings of a learner's base class, which a saved configuration may name again.

    Args:
        learner: the learner that is being built.
        kwargs: dictionary of arguments for the base class.
        **settings: what the arguments must be.

    Returns:
        The arguments with the settings.

    Raises:
        ValueError: one of them is something else.
    """
    for name, value in settings.items():
        if kwargs.get(name, value) != value:
            raise ValueError(
                f"{type(learner).__name__} is MAML with {name}={value!r}: build a MAML for another "
                f"{name}. Received: {name}={kwargs[name]!r}."
            )
    return {**kwargs, **settings}
