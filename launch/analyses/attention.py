"""Grad-CAM of the full network and of pruned ones, side by side (Figure 7)."""

from typing import Literal

from launch.analyses import result
from launch.analyses.runs import the_only
from tfmgaug import analysis, figures


def analyze(
    runs,
    *,
    task: int = 0,
    masks: list[Literal["catfish", "parameter", "width"]] | None = None,
    **explained,
):
    """Explains some queries of one task of one run.

    Args:
        runs: list of one `launch.analyses.runs.Run`.
        task: int >= 0, number of the task.
        masks: how networks are pruned; None: as in training. Only one.
        **explained: of `tfmgaug.analysis.attention`.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several runs or masks, or the run is of regression.
    """
    run = the_only(runs)
    if masks and len(masks) != 1:
        raise ValueError(f"Expected one mask. Received: --masks={','.join(masks)}.")
    (mask,) = run.masks(masks)
    episode = run.sampler.episode(task)
    maps = analysis.attention(run.learner, episode, mask, name=run.name, **explained)
    hits = [(of.argmax(axis=-1) == maps.labels).mean() for of in maps.probabilities]
    text = "\n".join(
        f"{network.name}: {100 * share:.0f} % of the {len(maps.labels)} queries shown are right"
        for network, share in zip(maps.networks, hits)
    )
    described = {"run": str(run.path), "task": task, **maps.to_json()}
    return result.Result(text, [described], figures.attention_grid(maps))
