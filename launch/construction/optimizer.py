"""The optimizers of the outer loop."""

import keras

from tfmgaug.optimizers import L2SGD


def adam(rate, clip_gradients: float | None = None):
    """Builds Adam.

    Args:
        rate: learning rate, or its schedule.
        clip_gradients: float, entries of the meta-gradient are clipped to plus and minus this;
            None: not at all.

    Returns:
        A Keras optimizer.
    """
    return keras.optimizers.Adam(rate, clipvalue=clip_gradients)


def sgd(
    rate,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    clip_gradients: float | None = None,
):
    """Builds stochastic gradient descent.

    Args:
        rate: learning rate, or its schedule.
        momentum: float >= 0, momentum of sgd.
        nesterov: bool, whether momentum is Nesterov's.
        weight_decay: float >= 0, factor of the L2 penalty's gradient: this times the weight is
            added to the gradient of everything learned.
        clip_gradients: float, entries of the meta-gradient are clipped to plus and minus this;
            None: not at all.

    Returns:
        A Keras optimizer.
    """
    options = {"momentum": momentum, "nesterov": nesterov, "clipvalue": clip_gradients}
    if weight_decay:
        return L2SGD(rate, l2=weight_decay, **options)
    return keras.optimizers.SGD(rate, **options)
