"""SGD with an L2 penalty, which Keras does not have."""

from typing import Any

import keras

from tfmgaug.types import Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class L2SGD(keras.optimizers.SGD):
    """SGD whose weight decay is an L2 penalty: it goes through the momentum.

    `g <- g + l2 * w`, `v <- momentum * v - rate * g`, then `w <- w + v`, or with Nesterov's
    momentum `w <- w + momentum * v - rate * g`.

    This is weight decay as torch.optim.SGD has it, and so the code of many papers. The
    `weight_decay` of Keras's own optimizers is another: decoupled, `w <- w - rate * decay * w`
    beside the momentum, which with momentum 0.9 decays ten times less. As there, everything that is
    learned decays: kernels, biases, normalization, MetaOptNet's scale, a ticket's scores. What a
    `MagnitudeMask` prunes is zero, and stays so. Clipping comes before.

    At a constant rate the weights are those of torch.optim.SGD. Where the rate changes, Keras's
    velocity still has the rates of the steps it was made in, torch's takes the new one at once:
    about `1 / (1 - momentum)` steps later they agree again.

    Args:
        learning_rate: float, or a Keras schedule.
        l2: float >= 0.
        **kwargs: of `keras.optimizers.SGD`: momentum, nesterov, clipvalue and so on.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> learner.compile(L2SGD(0.1, l2=5e-4, momentum=0.9, nesterov=True))

    Reference:
        Lee et al., 2019, https://arxiv.org/abs/1904.03758, Section 4.1, and its code. Loshchilov
        and Hutter, 2019, https://arxiv.org/abs/1711.05101, Algorithm 1, tell the two decays apart.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 0.01,
        *,
        l2: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if not l2 >= 0:
            raise ValueError(f"`l2` must not be negative. Received: l2={l2}.")
        super().__init__(learning_rate, **kwargs)
        self.l2 = l2

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        gradient = keras.ops.cast(gradient, variable.dtype)
        super().update_step(gradient + self.l2 * variable, variable, learning_rate)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        return {**super().get_config(), "l2": self.l2}
