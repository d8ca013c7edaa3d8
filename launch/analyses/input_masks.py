"""The pixels that units of the first layer see of an image (Figure 4)."""

import numpy as np

from launch.analyses import result
from launch.analyses.runs import the_only
from tfmgaug import analysis, figures


def analyze(runs, *, units: int = 20):
    """Draws the first layer's masks of one run.

    Args:
        runs: list of one `launch.analyses.runs.Run`.
        units: int >= 1, how many units are drawn.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several runs.
        TypeError: it is none of Meta-ticket.
    """
    run = the_only(runs)
    masks = analysis.input_masks(run.learner)
    count, *shape = masks.shape
    kept = masks.reshape(count, -1).mean(axis=1)
    described = {
        "run": str(run.path),
        "name": run.name,
        "units": count,
        "image_shape": shape,
        "kept": float(masks.mean()),
        "kept_by_unit": kept.tolist(),
        # [height, width, channels]
        "kept_by_pixel": masks.mean(axis=0).tolist(),
        # Of the units drawn, [units, height, width, channels] in zeros and ones.
        "masks": masks[:units].astype(int).tolist(),
    }
    text = (
        f"{run.name}: {count} units see {100 * np.mean(kept):.2f} % of {'x'.join(map(str, shape))} "
        f"pixels, {100 * kept.min():.2f} to {100 * kept.max():.2f} % each"
    )
    return result.Result(text, [described], figures.input_mask_grid(masks, units))
