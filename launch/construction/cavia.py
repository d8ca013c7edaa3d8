"""The arguments of constructors that CAVIA's flags stand for."""

from launch.given_flags import given

_SIZES = {"conv4": 100, "mlp": 5}  # of the authors, on mini-ImageNet and on sinusoids


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.
    """
    return given(settings, ["clip_task_gradients"]) if settings.learner == "cavia" else {}


def backbone_options(settings):
    """Returns the arguments of the backbone's constructor that make a context.

    Args:
        settings: absl flags.
    """
    if settings.learner != "cavia":
        return {}
    context = _SIZES[settings.backbone] if settings.context is None else settings.context
    if settings.backbone != "conv4" or settings.context_blocks is None:
        return {"context": context}
    return {"context": context, "context_blocks": [int(n) for n in settings.context_blocks]}
