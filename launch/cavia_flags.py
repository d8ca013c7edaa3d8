"""What the flags of CAVIA stand for; other learners refuse them."""

from absl import flags

from launch.given_flags import given, refuse

_BACKBONES = ("conv4", "mlp")
_SIZES = {"conv4": 100, "mlp": 5}  # of the authors, on mini-ImageNet and on sinusoids
_FLAGS = ("context", "context_blocks", "clip_task_gradients")


def define():
    """Defines the flags."""
    flags.DEFINE_integer(
        "context", None, "Entries of CAVIA's context; 100 for Conv-4 and 5 for the MLP by default."
    )
    flags.DEFINE_list(
        "context_blocks", None, "Blocks of Conv-4 that it scales and shifts; 3 by default."
    )
    flags.DEFINE_float(
        "clip_task_gradients",
        None,
        "Clip entries of each task's gradient to plus and minus this; no by default.",
    )


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is given that nothing reads.
    """
    if settings.learner != "cavia":
        refuse(given(settings, _FLAGS), "--learner=cavia", f"--learner={settings.learner}")
    return given(settings, ["clip_task_gradients"])


def backbone_options(settings):
    """Returns the arguments of the backbone's constructor that make a context.

    Args:
        settings: absl flags.

    Raises:
        ValueError: the backbone takes none.
    """
    if settings.learner != "cavia":
        return {}
    if settings.backbone not in _BACKBONES:
        raise ValueError(
            f"CAVIA's context goes into --backbone={' or '.join(_BACKBONES)}. "
            f"Received: --backbone={settings.backbone}."
        )
    context = _SIZES[settings.backbone] if settings.context is None else settings.context
    if settings.context_blocks is None:
        return {"context": context}
    if settings.backbone != "conv4":
        raise ValueError(
            f"--context_blocks are of --backbone=conv4. Received: --backbone={settings.backbone}."
        )
    return {"context": context, "context_blocks": [int(n) for n in settings.context_blocks]}
