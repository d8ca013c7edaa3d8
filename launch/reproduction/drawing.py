"""The pictures of a figure, drawn by `launch.analyze` from the runs that it needs."""

from launch.reproduction import training


def runs(figure, plan, seeds):
    """Makes the runs of a figure.

    Args:
        figure: `Figure`.
        plan: `Plan`.
        seeds: list of int.

    Returns:
        A list of (`Panel`, list of (label, `Run`)).
    """

    def labeled(panel):
        return [
            (label, plan.run(f"{label} · figure {figure.number} · seed {seed}", recipe, seed))
            for label, recipe in panel.runs.items()
            for seed in _used(panel, seeds)
        ]

    return [(panel, labeled(panel)) for panel in figure.panels]


def arguments(panel, labeled, folder):
    """Composes the arguments of `launch.analyze` for a panel.

    Args:
        panel: `Panel`.
        labeled: list of (label, `Run`).
        folder: where the picture and its data go.

    Returns:
        A list of arguments.
    """
    return [
        panel.analysis,
        f"--runs={','.join(str(run.path) for _, run in labeled)}",
        f"--names={','.join(label for label, _ in labeled)}",
        *panel.options,
        f"--output_dir={folder}",
        "--overwrite",
    ]


def draw(panel, labeled, folder, execute=training.execute):
    """Draws a panel.

    Args:
        panel: `Panel`.
        labeled: list of (label, finished `Run`).
        folder: where the picture and its data go.
        execute: `training.execute`.

    Returns:
        The exit status, and the path of the log.
    """
    log = folder.with_name(f"{folder.name}.log")
    given = ["-m", "launch.analyze", *arguments(panel, labeled, folder)]
    return execute(given, log, lambda line: None), log


def _used(panel, seeds):
    # Curves of one name are averaged; the other analyses look at one network.
    return seeds if panel.analysis in ("curves", "landscape") else seeds[:1]
