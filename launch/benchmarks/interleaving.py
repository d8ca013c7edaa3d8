"""Interleaved timing: implementations of one workload take their steps in turn."""

import time

from launch.benchmarks import children
from launch.benchmarks.member import Member

_PAUSE = 0.05  # seconds, in which the threads of the step before go to sleep
_SPARE_MEGABYTES = 1000


class Interleaving:
    """One workload in one precision.

    Implementations take turns, so that whatever else the machine does meets all of them. Where they
    don't fit into memory together, they run in groups, and the first, ours, takes part in each:
    every peer is compared with ours in the same minutes.

    Args:
        workload: `Workload`.
        dtype: "float32" or "bfloat16".
        repeats: int, timed steps of each.
        seed: int, of weights, images and masks.
        report: function that is told what happens, in a line.
    """

    def __init__(self, workload, dtype, repeats, seed, report):
        self._what = (workload, dtype, seed)
        self._repeats = repeats
        self._report = lambda line: report(f"{workload.name} {dtype}: {line}")
        self._members = []

    def run(self, implementations):
        """Measures.

        Args:
            implementations: list of `Implementation`, ours first.

        Returns:
            The list of their `Row`s.
        """
        waiting = list(implementations)
        try:
            first = self._start(waiting.pop(0))
            while True:
                group = []
                while waiting and (not group or self._room()):
                    group.append(self._start(waiting.pop(0)))
                self._rounds(first, group)
                for member in group:
                    member.finish()
                if not waiting:
                    break
            first.finish()
        finally:  # a Ctrl-C among the reasons
            for member in self._members:
                member.end()
        return [member.row for member in self._members]

    def _start(self, implementation):
        member = Member(implementation, *self._what)
        self._members.append(member)
        member.start()
        row = member.row
        self._report(
            f"{row.implementation}: {row.error or f'first step {row.first_step_seconds:.1f} s'}"
        )
        return member

    def _rounds(self, first, group):
        before = len(first.row.seconds)
        for number in range(1, self._repeats + 1):
            started = time.monotonic()
            for member in (first, *group):
                time.sleep(_PAUSE)
                member.step()
            left = (self._repeats - number) * (time.monotonic() - started)
            self._report(f"round {number}/{self._repeats}, {left:.0f} s left of these {len(group)}")
        for member in (first, *group):
            member.row.ours = first.row.seconds[before:]
        first.row.ours = first.row.seconds

    def _room(self):
        largest = max(member.row.peak_megabytes or 0 for member in self._members)
        available = children.available_megabytes()
        return available is None or available > 1.25 * largest + _SPARE_MEGABYTES
