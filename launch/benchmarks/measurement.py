"""One workload in one precision, from start to judged rows."""

from launch.benchmarks import floor
from launch.benchmarks.implementations import CONVOLUTIONS, OURS
from launch.benchmarks.interleaving import Interleaving
from launch.benchmarks.member import Member


class Measurement:
    """Measures workloads and remembers what our float32 results were, the reference.

    Args:
        implementations: list of `Implementation`, ours first.
        repeats: int, timed steps of each.
        seed: int, of weights, images and masks.
        report: function that is told what happens, in a line.
    """

    def __init__(self, implementations, repeats, seed, report):
        self._implementations = implementations
        self._repeats, self._seed, self._report = repeats, seed, report
        self._references = {}

    def run(self, workload, dtype):
        """Measures one workload in one precision.

        Args:
            workload: `Workload`.
            dtype: "float32" or "bfloat16".

        Returns:
            The list of judged `Row`s, and that of the fastest convolution or None.
        """
        ours, *peers = [
            implementation
            for implementation in self._implementations
            if implementation.does(workload)
        ]
        convolutions = [] if workload.hidden else CONVOLUTIONS
        interleaving = Interleaving(workload, dtype, self._repeats, self._seed, self._report)
        rows = interleaving.run([ours, *convolutions, *peers])
        rates = [row for row in rows if row.products and row.seconds and not row.error]
        names = {implementation.name for implementation in convolutions}
        rows = [row for row in rows if row.implementation not in names]
        fastest = min(rates, key=lambda row: row.median / row.products, default=None)
        self._judge(workload, rows)
        if fastest is not None:
            for row in rows:
                row.floor_seconds = floor.seconds(workload, fastest.products / fastest.median)
        return rows, fastest

    def _judge(self, workload, rows):
        reference = self._reference(workload, rows[0])
        for row in rows:
            row.judge(reference)
        peers = [row for row in rows[1:] if row.deviation is not None]
        if peers and not any(row.valid for row in peers):
            # Then it is not the peers who are wrong.
            rows[0].valid, rows[0].error = False, f"no peer agrees with {OURS}"

    def _reference(self, workload, ours):
        if workload.name not in self._references:
            if ours.dtype != "float32":
                ours = self._one_step(workload)
            self._references[workload.name] = ours
        row = self._references[workload.name]
        return None if row.error else (row.loss, row.gradient_norm)

    def _one_step(self, workload):
        member = Member(self._implementations[0], workload, "float32", self._seed)
        try:
            member.start()
            member.finish()
        finally:
            member.end()
        return member.row
