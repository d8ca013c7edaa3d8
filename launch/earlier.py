"""Earlier versions' names and defaults: flags that are called otherwise now, and what runs did."""

# Flags by their earlier names.
RENAMED = {
    "catfish_score": "mask_score",
    "drop_block_ramp": "drop_block_ramp_steps",
    "graddrop_ramp": "graddrop_ramp_steps",
    "landscape_seconds": "landscape_max_seconds",
    "mr_deviation": "mr_initial_deviation",
}
# Earlier flags that are a value of another flag now.
BECAME = {"strided": "pooling=strided", "nostrided": "pooling=max"}
# Flags that earlier versions did not have, and what their runs did.
ADDED = {
    "draw_classifier": True,
    "head_initializer": "glorot_uniform",
    "image_fit": "squash",
    "kernel_initializer": "glorot_uniform",
    "normalization_epsilon": 0.001,
    "pool_first": False,
    "pool_padding": "valid",
}


def successor(name):
    """Returns what has taken the place of a flag: a name, or a name and its value; or None.

    Args:
        name: of the earlier flag.
    """
    return RENAMED.get(name) or BECAME.get(name)


def flags(saved):
    """Translates the flags of a run into those of this version.

    Args:
        saved: dictionary, of the run's flags.json, by this or an earlier version.

    Returns:
        A dictionary.
    """
    saved = {**ADDED, **{RENAMED.get(name, name): value for name, value in saved.items()}}
    if "strided" in saved:
        strided = saved.pop("strided")
        if saved["backbone"] == "conv4":
            saved["pooling"] = "strided" if strided else "max"
    if saved.get("learner") == "fine_tuning":
        saved.setdefault("task_head", "shared")  # which all tasks had; now each has its own
    if saved.get("learner") == "reptile" and saved.get("inner_optimizer") is None:
        saved["inner_optimizer"] = "sgd"  # which was the default; now it is Reptile's own
    return saved


def part(constructor, arguments):
    """Translates a part of an experiment into one of this version.

    Args:
        constructor: its path.
        arguments: dictionary of its arguments.

    Returns:
        A pair of these.
    """
    if constructor == "launch.construction.networks.conv4":
        arguments = dict(arguments)
        pooling = "strided" if arguments.pop("strided") else "max"
        return "tfmgaug.backbones.conv4", {**arguments, "pooling": pooling}
    if constructor == "tfmgaug.learners.FineTuning":
        return constructor, {"task_head": "shared", **arguments}
    if constructor == "launch.construction.networks.wide_resnet":
        return "tfmgaug.backbones.wide_resnet", arguments
    return constructor, arguments
