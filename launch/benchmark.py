"""Measures the outer step against peers: time, memory, and whether all compute the same.

Every implementation runs in a process of its own and they take turns. All start from the same
weights and the same raw images, and standardize these within the timed step (ours and JAX in every
pass, PyTorch once). A row whose loss or meta-gradient norm is not ours is void. The peers are an
extra, `pip install -e .[bench]`; PyTorch's CPU build will do.

Example:
    python -m launch.benchmark --workloads=A,C --dtypes=float32,bfloat16 --output=benchmark.json
"""

import sys

from launch import command, constructor_flags, errors
from launch import output as output_file
from launch.benchmarks import rows, table
from launch.benchmarks.implementations import IMPLEMENTATIONS
from launch.benchmarks.implementations import choose as implementations_of
from launch.benchmarks.measurement import Measurement
from launch.benchmarks.workloads import WORKLOADS
from launch.benchmarks.workloads import choose as workloads_of
from launch.given_flags import present, refuse_idle

GROUPS = {
    "What is measured": ("workloads", "implementations", "dtypes", "small"),
    "How": ("repeats", "seed"),
    "Output": ("output", "overwrite"),
}

_WORK = "launch.benchmark.measure"

constructor_flags.define_fields(
    _WORK,
    {
        "workloads": [f"{workload.name} ({workload.title})" for workload in WORKLOADS],
        "implementations": [peer.name for peer in IMPLEMENTATIONS],
        "dtypes": rows.BOUNDS,
    },
)


def check(options):
    """Refuses unknown names, and flags that nothing reads.

    Args:
        options: absl flags.

    Raises:
        ValueError: there are some.
    """
    refuse_idle(options, present(output_file.READ_WITH), output_file.READ_WITH)
    workloads_of(options.workloads)
    implementations_of(options.implementations)
    unknown = [dtype for dtype in options.dtypes if dtype not in rows.BOUNDS]
    if unknown or not options.dtypes:
        raise ValueError(f"--dtypes must be among {', '.join(rows.BOUNDS)}. Received: {unknown}.")


def measure(
    workloads: list[str] = (),
    implementations: list[str] = (),
    dtypes: list[str] = ("float32",),
    repeats: int = 7,
    seed: int = 0,
    small: bool = False,
    output: str | None = None,
    overwrite: bool = False,
):
    """Runs the benchmark.

    Args:
        workloads: workloads, by name; all by default.
        implementations: implementations beside ours, by name or part of it; all by default.
        dtypes: precisions.
        repeats: int >= 1, timed steps of each implementation.
        seed: int >= 0, seed of weights, images and masks.
        small: tiny forms of the workloads, to see that all runs.
        output: JSON file for the rows, written after each workload.
        overwrite: replace --output if it exists.
    """
    file = output_file.path(output, overwrite)
    measurement = Measurement(implementations_of(implementations), repeats, seed, _report)
    chosen = [w.smaller() if small else w for w in workloads_of(workloads)]
    try:
        _measure(measurement, chosen, dtypes, file)
    except KeyboardInterrupt:
        print("\nStopped. Workloads that were finished are kept.", file=sys.stderr)
        sys.exit(errors.INTERRUPTED)


def _measure(measurement, chosen, dtypes, file):
    results, tables = [], []
    for workload in chosen:
        for dtype in dtypes:
            measured, convolution = measurement.run(workload, dtype)
            results += [row.to_json() for row in measured]
            tables.append(table.table(workload, measured, convolution))
            _report(f"\n{tables[-1]}\n")
            if file:
                output_file.write(file, results)
    print("\n\n".join(tables))
    if file:
        print(f"\nrows  {file}")


def _report(line):
    print(line, file=sys.stderr, flush=True)


def _work(options):
    measure(**constructor_flags.fields(_WORK, options))


main = command.main(_work, check)

if __name__ == "__main__":
    command.run(main, GROUPS)
