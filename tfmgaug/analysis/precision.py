"""The same learner in float64, where finite differences can judge it."""

from tfmgaug.types import Learner

_SINGLE = ("bfloat16", "float32", "mixed_bfloat16")


def in_float64(learner: Learner) -> Learner:
    """Copies a learner, its weights and its step into float64.

    Args:
        learner: `MetaLearner`.

    Returns:
        A learner of the same class, not compiled. Learned inner rates stay in float32.

    Example:
        >>> print(check_gradients(in_float64(learner), batch))
    """
    config = learner.get_config()
    config = {**config, "backbone": _widened(config["backbone"])}
    copy = type(learner).from_config(config)
    # All of them, masks and thresholds too. A learner of the same class and configuration has the
    # same variables in the same order.
    for new, old in zip(copy.weights, learner.weights, strict=True):
        new.assign(old)
    return copy


def _widened(config):
    """A Keras configuration whose layers compute in float64."""
    if isinstance(config, dict):
        return {
            name: _policy(value) if name == "dtype" else _widened(value)
            for name, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_widened(value) for value in config)
    return config


def _policy(value):
    name = value["config"]["name"] if isinstance(value, dict) else value
    return "float64" if name in _SINGLE else value
