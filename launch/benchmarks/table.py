"""The benchmark's table of results."""

from launch.benchmarks import rows
from launch.benchmarks.implementations import OURS

_HEADER = ("", "seconds", "min-max", "x ours", "peak MB", "- import", "first step", "valid")


def table(workload, measured, convolution=None):
    """Formats one workload in one precision.

    Args:
        workload: `Workload`.
        measured: list of `Row`, of which ours is one.
        convolution: `Row` of the fastest convolution, or None.

    Returns:
        Lines of text.
    """
    order = sorted(measured, key=lambda row: (not row.valid, row.ratio or float("inf")))
    lines = [_HEADER, *map(_cells, order)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = [f"{workload.name}  {workload.title}, {measured[0].dtype}", ""]
    text += [_line(cells, widths) for cells in lines]
    text.insert(3, "-" * len(text[2]))
    return "\n".join([*text, "", *_conclusions(measured, convolution)])


def _line(cells, widths):
    name, *others = (
        cell.rjust(width) if n else cell.ljust(width)
        for n, (cell, width) in enumerate(zip(cells, widths))
    )
    *numbers, valid = others
    return "  ".join([name, *numbers, valid.strip()]).rstrip()


def _cells(row):
    spread = f"{_short(min(row.seconds))}-{_short(max(row.seconds))}" if row.seconds else "-"
    return (
        row.implementation,
        _short(row.median),
        spread,
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        _whole(row.peak_megabytes),
        _whole(row.own_megabytes),
        "-" if row.first_step_seconds is None else f"{row.first_step_seconds:.1f}",
        _validity(row),
    )


def _validity(row):
    if row.valid:
        return f"yes, {row.deviation:.0e}"
    if row.error:
        return f"void: {row.error}"
    if row.deviation is None:
        return "void: nothing to compare with"
    return f"void: off by {row.deviation:.1e}, more than {rows.BOUNDS[row.dtype]:.0e}"


def _conclusions(measured, convolution):
    ours = next(row for row in measured if row.implementation == OURS)
    peers = [row for row in measured if row is not ours and row.ratio is not None]
    if not ours.valid:
        return [f"{OURS} has no valid result, so there are no ratios."]
    lines = []
    if peers:
        best = min(peers, key=lambda row: row.ratio)
        leanest = min(peers, key=lambda row: row.own_megabytes)
        lines.append(f"{OURS} is {best.ratio:.2f} times as fast as the best peer, {_named(best)}.")
        lines.append(
            f"Above its import it takes {ours.own_megabytes / leanest.own_megabytes:.2f} times the "
            f"memory of the leanest peer, {_named(leanest)}."
        )
    if ours.floor_seconds:
        lines.append(
            f"Arithmetic floor {ours.floor_seconds:.3g} s ({convolution.implementation}: "
            f"{2e-9 * convolution.products / convolution.median:.0f} GFLOP/s); {OURS} takes "
            f"{ours.median / ours.floor_seconds:.2f} times that."
        )
    return lines


def _named(row):
    return f"'{row.implementation}'"


def _short(seconds):
    return "-" if seconds is None else f"{seconds:.3g}"


def _whole(megabytes):
    return "-" if megabytes is None else f"{megabytes:.0f}"
