"""An implementation in the benchmark: its process and its row of results."""

from launch.benchmarks.children import Child, ChildError
from launch.benchmarks.rows import Row


class Member:
    """Turns a child's replies into a row. A child that fails leaves the reason there.

    Args:
        implementation: `Implementation`.
        workload: `Workload`.
        dtype: "float32" or "bfloat16".
        seed: int.

    Attributes:
        row: `Row`.
    """

    def __init__(self, implementation, workload, dtype, seed):
        self.row = Row(workload.name, implementation.name, dtype)
        self._what = (implementation, workload, dtype, seed)
        self._has_masks = bool(workload.rates)
        self._child = None

    def start(self):
        """Starts the process, and takes the first step and one to warm up."""
        try:
            self._child = Child(*self._what)
        except ChildError as error:
            self.row.error = str(error)
            return
        self.row.note(self._child.loaded)
        self.row.note(self._ask("first_step"))
        self._ask("step")
        self.row.note(self._ask("peak"))

    def step(self):
        """Takes a timed step."""
        reply = self._ask("step")
        if reply:
            self.row.seconds.append(reply["seconds"])

    def finish(self):
        """Reads the peak of memory, takes the step that is compared, and ends the process."""
        self.row.note(self._ask("peak"))
        if self._has_masks:
            self.row.note(self._ask("check"))
        self.end()

    def end(self):
        """Ends the process."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _ask(self, what):
        if self._child is None:
            return {}
        try:
            return self._child.ask(what)
        except ChildError as error:
            self.row.error = f"{what.replace('_', ' ')}: {error}"
            self.end()
            return {}
