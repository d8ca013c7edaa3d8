"""The flags of `launch.evaluate`, beside those of the data."""

import types

from launch import constructor_flags, data_flags, data_sets, output
from launch.given_flags import present, read_with, refuse_idle

WORK = "launch.jobs.evaluate.run"
STATISTICS = constructor_flags.choices("statistics")
# Nothing is trained here.
READ_WITH = {
    **data_flags.READ_WITH,
    **output.READ_WITH,
    "train_classes": read_with(test_classes=("train",)),
}
# What --datasets says itself, or the runs do.
_DECIDED = ("data", "image_size")


def define():
    """Defines a flag for each argument of the evaluation, but the data."""
    constructor_flags.define_fields(WORK, {"statistics": STATISTICS}, without=("data",))


def check(options):
    """Refuses flags that don't fit together.

    Args:
        options: absl flags.

    Raises:
        ValueError: they say why.
    """
    unknown = [mode for mode in options.statistics if mode not in STATISTICS]
    if unknown or not options.statistics:
        raise ValueError(
            f"--statistics must be of {', '.join(STATISTICS)}. Received: {','.join(unknown)}."
        )
    names = [name for name in options if options[name].present]
    if options.datasets:
        decided = present(_DECIDED)
        if decided:
            raise ValueError(
                "--datasets names the data, and runs the size of images: leave away "
                f"--{' and --'.join(decided)}."
            )
        data = [dataset.name for dataset in data_sets.parse(options.datasets)]
    else:
        data_flags.check(options)
        data = options.data
    values = {name: options[name].value for name in options}
    refuse_idle(types.SimpleNamespace(**{**values, "data": data}), names, READ_WITH)
