"""The check that training, validation and test have enough classes, with a remedy if not."""

import pathlib

from tfmgaug.data import folders, splitting


def fractions(settings):
    """Reads --fractions.

    Args:
        settings: `launch.experiment.Data`.

    Returns:
        Three numbers, or None where the flag isn't given.

    Raises:
        ValueError: they are not three numbers.
    """
    if settings.fractions is None:
        return None
    try:
        shares = [float(text) for text in settings.fractions]
    except ValueError:
        shares = []
    if len(shares) != 3:
        raise ValueError(
            "--fractions must be three shares, of training, validation and test, as 0.5,0.25,0.25. "
            f"Received: {','.join(map(str, settings.fractions))}."
        )
    return shares


def check(settings, splits):
    """Refuses splits with too few classes, with a remedy.

    Args:
        settings: `launch.experiment.Experiment`.
        splits: `Splits`.

    Raises:
        ValueError: a split has fewer classes than an episode.
    """
    fine_tuning = settings.learner.name == "fine_tuning"
    train_way = 2 if fine_tuning else settings.train_way or settings.way
    needed = (max(train_way, 2 if fine_tuning else settings.way), settings.way, settings.way)
    if all(len(classes) >= way for classes, way in zip(splits, needed)):
        return
    received = ", ".join(f"{len(classes)} in {classes.name}" for classes in splits)
    raise ValueError(
        f"Expected at least {needed[0]} classes for training, {needed[1]} for validation and "
        f"{needed[2]} for test, whose classes must differ (--way={settings.way}). Received: "
        f"{received}. {_remedy(settings, [len(classes) for classes in splits], needed)}"
    )


def _remedy(settings, sizes, needed):
    if settings.data != "folder":
        return f"Pass --way={min(sizes)} or less, or other data."
    if folders.is_split(pathlib.Path(settings.data_dir).expanduser()):
        return "Put more classes into the folders of these splits, or pass a smaller --way."
    classes = sum(sizes)
    if classes < sum(needed):
        return (
            f"{classes} classes are too few for such a split, {sum(needed)} are enough: add some, "
            f"or pass --way={max(classes // 3, 2)} or less."
        )
    return (
        f"Pass --fractions={_shares(classes, needed)}, or sort the classes into folders train/, "
        "validation/ and test/."
    )


def _shares(classes, needed):
    """The shares nearest to the usual ones that suffice, as text."""
    validation = max(needed[1], round(splitting.FRACTIONS[1] * classes))
    validation = min(validation, classes - needed[0] - needed[2])
    test = max(needed[2], round(splitting.FRACTIONS[2] * classes))
    test = min(test, classes - needed[0] - validation)
    for digits in range(2, 7):
        shares = [round(number / classes, digits) for number in (validation, test)]
        shares = [round(1 - sum(shares), digits), *shares]
        groups = splitting.draw_groups([str(c) for c in range(classes)], shares)
        if all(len(group) >= way for group, way in zip(groups, needed)):
            break
    return ",".join(str(share) for share in shares)
