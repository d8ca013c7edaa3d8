"""Meta-ticket's Figure 4: what units of the first layer see of an image."""

import numpy as np

from launch.analyses import result
from launch.analyses.runs import the_only
from tfmgaug import analysis, figures


def analyze(runs, options):
    """Draws the first layer's masks of one run.

    Args:
        runs: list of one `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several runs.
        TypeError: it is none of Meta-ticket.
    """
    run = the_only(runs)
    masks = analysis.input_masks(run.learner)
    units, *shape = masks.shape
    kept = masks.reshape(units, -1).mean(axis=1)
    found = {
        "run": str(run.path),
        "name": run.name,
        "units": units,
        "image_shape": shape,
        "kept": float(masks.mean()),
        "kept_by_unit": kept.tolist(),
        # [height, width, channels]
        "kept_by_pixel": masks.mean(axis=0).tolist(),
        # Of the units drawn, [units, height, width, channels] in zeros and ones.
        "masks": masks[: options.units].astype(int).tolist(),
    }
    text = (
        f"{run.name}: {units} units see {100 * np.mean(kept):.2f} % of {'x'.join(map(str, shape))} "
        f"pixels, {100 * kept.min():.2f} to {100 * kept.max():.2f} % each"
    )
    return result.Result(text, [found], figures.input_mask_grid(masks, options.units))
