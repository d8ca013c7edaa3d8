"""Reports of runs that differ in their seed alone, averaged."""

import dataclasses

import numpy as np


def averaged(reports, named=True):
    """Averages the reports of one name, task by task: all seeds meet the same tasks.

    Intervals of the result are over tasks, of means over runs.

    Args:
        reports: list of dataclasses with a name, a fingerprint of the tasks, and arrays
            `[tasks, ...]` or dictionaries of such.
        named: whether the name of an average says of how many runs it is.

    Returns:
        A list of reports, one for each name.

    Raises:
        ValueError: reports of one name are of different tasks.

    Example:
        >>> figures.hat_graph(*averaged([first_seed, second_seed]))
    """
    groups = {}
    for report in reports:
        groups.setdefault(report.name, []).append(report)
    return [_mean(group, named) for group in groups.values()]


def _mean(group, named):
    first = group[0]
    if len(group) == 1:
        return first
    if len({report.fingerprint for report in group}) > 1:
        raise ValueError(
            f"Expected runs of the same tasks under one name. Received: {first.name!r} of other "
            "ones. Tell runs apart by --names."
        )
    names = [field.name for field in dataclasses.fields(first)]
    columns = {name: [getattr(report, name) for report in group] for name in names}
    means = {
        name: _mean_of(values)
        for name, values in columns.items()
        if isinstance(values[0], (dict, np.ndarray)) and name != "edges"
    }
    name = f"{first.name} (mean of {len(group)} runs)" if named else first.name
    return dataclasses.replace(first, **means, name=name, seconds=sum(columns["seconds"]))


def _mean_of(values):
    if isinstance(values[0], dict):
        return {name: _mean_of([value[name] for value in values]) for name in values[0]}
    return np.mean(values, axis=0, dtype=np.float64)
