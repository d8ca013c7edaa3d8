"""The pictures of a figure, drawn by `launch.analyze` from the runs that it needs."""

import dataclasses

from launch.reproduction import children, composition

_OF_ONE_NETWORK = ("attention", "input_masks")


def runs(figure, plan, seeds):
    """Makes the runs of a figure.

    Args:
        figure: `Figure`.
        plan: `Plan`.
        seeds: list of int.

    Returns:
        A list of (`Panel`, list of (label, `Run`)). Runs of all seeds are in one panel, where those
        of one label are averaged; what looks at one network has a panel for each seed.
    """

    def labeled(panel, seeds):
        return [
            (label, plan.run(f"{label} · figure {figure.number} · seed {seed}", recipe, seed))
            for label, recipe in panel.labeled()
            for seed in seeds
        ]

    return [
        (part, labeled(part, panel_seeds))
        for panel in figure.panels
        for part, panel_seeds in _parts(panel, seeds)
    ]


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


def marks(labeled, plan, notes):
    """Marks a panel whose runs are not the paper's experiment.

    Args:
        labeled: list of (label, finished `Run`).
        plan: `Plan` that the runs are of.
        notes: `Notes` that say what differs.

    Returns:
        Text behind the panel's name, such as " [1][2]"; "" if nothing differs.
    """
    differences = [
        composition.changes(run.saved, plan.published(run.recipe))
        for _, run in labeled
        if run.saved is not None
    ]
    numbers = dict.fromkeys(notes.mark(texts) for texts in differences if texts)
    return f" {''.join(numbers)}" if numbers else ""


def draw(panel, labeled, folder, execute=children.execute):
    """Draws a panel.

    Args:
        panel: `Panel`.
        labeled: list of (label, finished `Run`).
        folder: where the picture and its data go.
        execute: `children.execute`.

    Returns:
        The exit status, and the path of the log.
    """
    log = folder.with_name(f"{folder.name}.log")
    words = ["-m", "launch.analyze", *arguments(panel, labeled, folder)]
    return execute(words, log, lambda line: None), log


def _parts(panel, seeds):
    """The panel with the seeds that are in it, or a panel for each of several seeds."""
    if panel.analysis not in _OF_ONE_NETWORK or len(seeds) == 1:
        return [(panel, seeds)]
    return [(dataclasses.replace(panel, name=f"{panel.name}_seed{n}"), [n]) for n in seeds]
