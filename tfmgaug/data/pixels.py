"""The check that pixels are finite and on the scale of images, 0 to 255."""

import warnings
from typing import Any

import numpy as np

_SAMPLE = 1000  # images looked at
_DRAWN = 0.01  # the least share of ones in a drawing of zeros and ones


def check_pixels(images: Any, name: str = "images", raw: bool = True, stacklevel: int = 3) -> None:
    """Refuses pixels that are NaN or infinite, and warns of those that are in 0-1 or below 0.

    Images are in 0-255 throughout: whoever divides them by 255 and adapts a network that was
    trained on raw ones gets probabilities that mean nothing. Drawings of zeros and ones as uint8
    are a scale of their own and pass. Of many integer images a fixed sample is looked at.

    Args:
        images: array `[images, height, width, channels]`.
        name: what to call it.
        raw: whether they should be in 0-255; otherwise there is no warning.
        stacklevel: of the warning, see `warnings.warn`.

    Raises:
        ValueError: there are NaN or infinite pixels.
    """
    images = np.asarray(images)
    if not images.size or images.dtype.kind not in "fiu":
        return
    if images.dtype.kind == "f":
        broken = ~np.isfinite(images)
        if broken.any():
            which = int(np.argmax(broken.reshape(len(images), -1).any(1)))
            raise ValueError(
                f"`{name}` must be finite numbers, images in 0-255. Received: {int(broken.sum())} "
                f"that are NaN or infinite, the first in example {which}."
            )
    elif not raw or images[0].max() > 1:
        return  # as almost always
    else:
        rows = np.linspace(0, len(images) - 1, min(_SAMPLE, len(images))).astype(int)
        images = images[np.unique(rows)]
    low, high = images.min(), images.max()
    if not raw or (low >= 0 and high > 1) or low == high == 0 or _is_drawing(images):
        return
    remedy = "Multiply them by 255." if low >= 0 else "Undo what standardized them."
    warnings.warn(
        f"The pixels of `{name}` are from {low:.4g} to {high:.4g}, where images are in 0-255. "
        f"{remedy}",
        stacklevel=stacklevel,
    )


def takes_raw_pixels(backbone: Any) -> bool:
    """Whether a network standardizes its images itself, as pixels in 0-255.

    Args:
        backbone: a Keras model.
    """
    layers = backbone._flatten_layers(include_self=False)
    # Of pixels in 0-1 the deviation is below 1.
    return any(
        hasattr(layer, "image_shape") and getattr(layer, "standard_deviation", 0) > 1
        for layer in layers
    )


def _is_drawing(images: np.ndarray) -> bool:
    """Whether integers of 0 and 1 are strokes and paper, and not photos that were cut to 1."""
    if images.dtype.kind == "f" or images.shape[-1] != 1 or images.min() < 0:
        return False
    ones = images.reshape(len(images), -1).mean(1)
    return bool(np.median(np.minimum(ones, 1 - ones)) >= _DRAWN)
