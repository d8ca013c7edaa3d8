"""Rows of the benchmark: one implementation on one workload, and whether its numbers count."""

import dataclasses
import math
import statistics

# How far loss and gradient norm may be from ours in float32, relatively. bfloat16 has 8 bits of
# precision, and its errors add up over the inner steps; what is wrong by more computes something
# else, or can't be trained with.
BOUNDS = {"float32": 1e-3, "bfloat16": 5e-2}


@dataclasses.dataclass
class Row:
    """A line of the table.

    Attributes:
        workload: name.
        implementation: name.
        dtype: "float32" or "bfloat16".
        seconds: list of the timed steps.
        ours: list of our steps that were timed in the same rounds.
        import_megabytes: memory after importing the framework.
        import_seconds: time that the import took.
        peak_megabytes: the most memory the process had in the end.
        first_step_seconds: from the imported framework to the end of the first step.
        loss: query loss, averaged over tasks.
        gradient_norm: norm of the meta-gradient. With MGAug, of a step with fixed masks.
        error: why the measurement ended early, or None.
        valid: whether loss and norm agree with the reference's.
        deviation: the larger of the two relative deviations from the reference.
        floor_seconds: the workload's arithmetic floor, or None.
        products: multiply-adds of a step, where the convolution rate is measured.
    """

    workload: str
    implementation: str
    dtype: str
    seconds: list = dataclasses.field(default_factory=list)
    ours: list = dataclasses.field(default_factory=list)
    import_megabytes: float | None = None
    import_seconds: float | None = None
    peak_megabytes: float | None = None
    first_step_seconds: float | None = None
    loss: float | None = None
    gradient_norm: float | None = None
    error: str | None = None
    valid: bool = False
    deviation: float | None = None
    floor_seconds: float | None = None
    products: int | None = None

    def note(self, reply):
        """Fills in the measurements that a child process replied with."""
        for name, value in reply.items():
            if hasattr(self, name):
                setattr(self, name, value)

    @property
    def median(self):
        """The median step in seconds, or None."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def ratio(self):
        """How many times as long as ours a step takes; None for void rows."""
        if not (self.valid and self.seconds and self.ours):
            return None
        return self.median / statistics.median(self.ours)

    @property
    def own_megabytes(self):
        """Peak memory above what importing the framework costs."""
        if self.peak_megabytes is None or self.import_megabytes is None:
            return None
        return self.peak_megabytes - self.import_megabytes

    def judge(self, reference):
        """Decides whether the row counts.

        Args:
            reference: (loss, gradient norm), or None if there is none.
        """
        self.valid, self.deviation = False, None
        measured = (self.loss, self.gradient_norm)
        if self.error or reference is None or None in measured:
            return
        if not all(map(math.isfinite, measured)):
            self.error = f"loss {self.loss}, gradient norm {self.gradient_norm}"
            return
        self.deviation = max(abs(m - r) / abs(r) for m, r in zip(measured, reference))
        self.valid = self.deviation <= BOUNDS[self.dtype]

    def to_json(self):
        """Returns the row as a dictionary that JSON can hold."""
        return {
            "workload": self.workload,
            "implementation": self.implementation,
            "dtype": self.dtype,
            "median_seconds": self.median,
            "peak_megabytes": self.peak_megabytes,
            "first_step_seconds": self.first_step_seconds,
            "loss": _finite(self.loss),
            "gradient_norm": _finite(self.gradient_norm),
            "valid": self.valid,
            "seconds": self.seconds,
            "ratio_to_tfmgaug": self.ratio,
            "import_megabytes": self.import_megabytes,
            "import_seconds": self.import_seconds,
            "deviation": self.deviation,
            "floor_seconds": self.floor_seconds,
            "error": self.error,
        }


def _finite(value):
    return value if value is None or math.isfinite(value) else None
