"""Measures the outer step against peers: time, memory, and whether all compute the same.

Every implementation runs in a process of its own and they take turns. All start from the same
weights and the same raw images, and standardize these within the timed step (ours and JAX in every
pass, PyTorch once). A row whose loss or meta-gradient norm is not ours is void. The peers are an
extra, `pip install -e .[bench]`; PyTorch's CPU build will do.

Example:
    python -m launch.benchmark --workloads=A,C --dtypes=float32,bfloat16 --output=benchmark.json
"""

import sys

from absl import flags

from launch import command, errors, output
from launch.benchmarks import implementations, rows, table, workloads
from launch.benchmarks.measurement import Measurement
from launch.given_flags import present, refuse_idle

GROUPS = {
    "What is measured": ("workloads", "implementations", "dtypes", "small"),
    "How": ("repeats", "seed"),
    "Output": ("output", "overwrite"),
}

flags.DEFINE_list(
    "workloads",
    [],
    "Which to measure; all by default. "
    + "; ".join(f"{workload.name}: {workload.title}" for workload in workloads.WORKLOADS),
)
flags.DEFINE_list(
    "implementations",
    [],
    f"Which to measure beside {implementations.OURS}, by name or part of it; all by default. "
    + "; ".join(implementation.name for implementation in implementations.IMPLEMENTATIONS),
)
flags.DEFINE_list("dtypes", ["float32"], f"Precisions: {', '.join(rows.BOUNDS)}.")
flags.DEFINE_integer("repeats", 7, "Timed steps of each.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of weights, images and masks.", lower_bound=0)
flags.DEFINE_boolean("small", False, "Tiny forms of the workloads, to see that all runs.")
output.define("the rows, written after each workload")
flags.adopt_module_key_flags(output)  # --helpshort lists them


def check(options):
    """Refuses unknown names, and flags that nothing reads.

    Args:
        options: absl flags.

    Raises:
        ValueError: there are some.
    """
    refuse_idle(options, present(output.READ_WITH), output.READ_WITH)
    workloads.choose(options.workloads)
    implementations.choose(options.implementations)
    unknown = [dtype for dtype in options.dtypes if dtype not in rows.BOUNDS]
    if unknown or not options.dtypes:
        raise ValueError(f"--dtypes must be among {', '.join(rows.BOUNDS)}. Received: {unknown}.")


def measure(options):
    """Runs the benchmark with the flags.

    Args:
        options: absl flags.
    """
    file = output.path(options)
    peers = implementations.choose(options.implementations)
    measurement = Measurement(peers, options.repeats, options.seed, _report)
    try:
        _measure(measurement, workloads.choose(options.workloads), options, file)
    except KeyboardInterrupt:
        print("\nStopped. Workloads that were finished are kept.", file=sys.stderr)
        sys.exit(errors.INTERRUPTED)


def _measure(measurement, chosen, options, file):
    results, tables = [], []
    for workload in chosen:
        workload = workload.smaller() if options.small else workload
        for dtype in options.dtypes:
            measured, convolution = measurement.run(workload, dtype)
            results += [row.to_json() for row in measured]
            tables.append(table.table(workload, measured, convolution))
            _report(f"\n{tables[-1]}\n")
            if file:
                output.write(file, results)
    print("\n\n".join(tables))
    if file:
        print(f"\nrows  {file}")


def _report(line):
    print(line, file=sys.stderr, flush=True)


main = command.main(measure, check)

if __name__ == "__main__":
    command.run(main, GROUPS)
