"""The experiment that flags describe."""

import dataclasses

from launch import constructor_flags, registry
from launch.data_flags import OF_SINUSOIDS
from launch.experiment import Data, Experiment, Part, Training
from launch.given_flags import GIVEN
from launch.signatures import REQUIRED

# Fields that are lists of numbers.
_NUMBERS = {"train_resolutions": int, **dict.fromkeys(OF_SINUSOIDS, float)}


def experiment(values):
    """Makes the experiment that flags describe.

    Args:
        values: dictionary of the flags of `launch.train`, of which None leaves a constructor's
            default. Those of an earlier version, which has fewer flags, will do.

    Returns:
        An `Experiment`.

    Raises:
        ValueError: an argument that a constructor requires has no value, or one that it doesn't
            take.
    """
    values = constructor_flags.completed(values)
    return Experiment(
        **_fields(values),
        learner=_learner(values),
        backbone=_chosen(registry.BACKBONES, values),
        optimizer=_chosen(registry.OPTIMIZERS, values),
        schedule=_chosen(registry.SCHEDULES, values),
        augmentation=_augmentation(values),
        regularizers=tuple(
            _part(name, registry.REGULARIZERS.rows[name], values) for name in values["regularizers"]
        ),
        magnitude_mask=_when("pruning", "magnitude", registry.MAGNITUDE_MASK, values),
        pruning=_chosen(registry.PRUNING, values),
        task_augmentation=_chosen(registry.TASK_AUGMENTATIONS, values),
        redraw=_when("iterand_every", "iterand", registry.ITERAND, values),
        monitor=_monitor(values),
        stopping=_when("coherence_patience", "coherence", registry.COHERENCE, values),
    )


def _fields(values):
    """The fields of data and training, numbers out of their text."""
    fields = {}
    for field in (*dataclasses.fields(Data), *dataclasses.fields(Training)):
        value = values.get(field.name)
        fields[field.name] = field.default if value is None else value
    for name, kind in _NUMBERS.items():
        if fields[name] is not None:
            fields[name] = [kind(text) for text in fields[name]]
    return fields


def _learner(values):
    learner = _chosen(registry.LEARNERS, values)
    more = {
        "head": _within(registry.HEADS, values),
        "inner_optimizer": _within(registry.INNER_OPTIMIZERS, values),
        "weight_initializer": _within(registry.INITIALIZERS, values),
    }
    more["score_mask"] = _when("learner", "score", registry.SCORE_MASK, values)
    more = {name: part for name, part in more.items() if part is not None}
    return dataclasses.replace(learner, arguments={**learner.arguments, **more})


def _augmentation(values):
    mask = _chosen(registry.MASKS, values)
    if mask is None:
        return None
    start = values["mgaug_from_epoch"] * values["steps_per_epoch"]
    return _part("mgaug", registry.MGAUG, values, mask=mask, start_step=start)


def _monitor(values):
    monitor = _when("landscape_every", "landscape", registry.MONITOR, values)
    if monitor is None:
        return None
    meter = _part("landscape", registry.METER, values)
    return dataclasses.replace(monitor, arguments={**monitor.arguments, **meter.arguments})


def _chosen(kind, values):
    """The part that a kind's flag names, or None."""
    name = values[kind.flag]
    row = kind.rows[name]
    return None if row is None else _part(name, row, values)


def _within(kind, values):
    """The part of a kind that some choices alone have, or None."""
    if any(values[flag] not in names for flag, names in kind.within.items()):
        return None
    return _chosen(kind, values)


def _when(flag, name, row, values):
    """A part that is there where a flag asks for it, and where its flags are read."""
    needed = next(needed for other, needed in registry.PARTS if other is row)
    asked = values[flag] not in (None, "none")
    fits = all(n is GIVEN or values[other] in n for other, n in needed.items())
    return _part(name, row, values) if asked and fits else None


def _part(name, row, values, **supplied):
    arguments = {
        argument.name: _value(row, argument, values)
        for argument in constructor_flags.arguments(row).values()
    }
    return Part(name, row.constructor, {**arguments, **supplied})


def _value(row, argument, values):
    flag = row.flag(argument.name)
    value = values.get(flag)
    if value is None:
        value = row.default(argument, values)
    if value is REQUIRED:
        raise ValueError(f"Expected --{flag}, which {row.constructor} requires. Received: none.")
    kind = constructor_flags.Use(row, argument, {}).type
    if kind.choices and value not in kind.choices:
        choices = " or ".join(kind.choices)
        raise ValueError(f"--{flag} of {row.constructor} must be {choices}. Received: {value}.")
    return _plain(value, kind)


def _plain(value, kind):
    """A value as JSON has it: lists of numbers for their text, one number for a list of one."""
    if not isinstance(value, (list, tuple)):
        return value
    numbers = [kind.kind(entry) for entry in value]
    return numbers[0] if len(numbers) == 1 and kind.or_single else numbers
