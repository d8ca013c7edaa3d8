"""The checks that images are arrays of pixels in 0 to 255, and the mean and deviation of pixels."""

import warnings
from typing import Any

import numpy as np

_SAMPLE = 1000  # images looked at
_DRAWN = 0.01  # the least share of ones in a drawing of zeros and ones


def check_images(images: Any, stacklevel: int) -> None:
    """Refuses what is no array of images of 8 bits, and warns of pixels that are in 0-1.

    Args:
        images: anything.
        stacklevel: of the warning, see `warnings.warn`.

    Raises:
        TypeError: it is not a numpy array.
        ValueError: its type or shape is not that of images.
    """
    if not isinstance(images, np.ndarray):
        raise TypeError(f"`images` must be a numpy array. Received: {type(images)}.")
    if images.dtype != np.uint8:
        raise ValueError(
            f"`images` must be uint8 in 0-255. Received dtype: {images.dtype}. Convert "
            "pixels in 0-1 by `(255 * images).round().astype('uint8')`."
        )
    shape = images.shape
    if len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape[1:]:
        raise ValueError(
            "`images` must have the shape [images, height, width, channels] with 1 or 3 "
            f"channels. Received: {shape}."
        )
    check_pixels(images, stacklevel=stacklevel)


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
        images = images[np.unique(_sample(len(images)))]
    low, high = images.min(), images.max()
    if not raw or (low >= 0 and high > 1) or low == high == 0 or _is_drawing(images):
        return
    remedy = "Multiply them by 255." if low >= 0 else "Undo what standardized them."
    warnings.warn(
        f"The pixels of `{name}` are from {low:.4g} to {high:.4g}, where images are in 0-255. "
        f"{remedy}",
        stacklevel=stacklevel,
    )


def moments(images: np.ndarray, sizes: np.ndarray | None = None) -> tuple[float, float]:
    """Measures the mean and the standard deviation of pixels, over a fixed sample of the images.

    Args:
        images: uint8 `[images, height, width, channels]`, at least one.
        sizes: height and width of what is looked at of each, `[images, 2]`; None for all of it.

    Returns:
        The mean and the standard deviation, the same on every machine.
    """
    # Sums of integers are exact.
    chosen = _sample(len(images))
    if sizes is None:
        pixels = np.bincount(images[chosen].ravel(), minlength=256)
    else:
        parts = (images[i, : sizes[i, 0], : sizes[i, 1]].ravel() for i in chosen)
        pixels = np.sum([np.bincount(part, minlength=256) for part in parts], axis=0)
    values = np.arange(256)
    mean = float(pixels @ values) / pixels.sum()
    variance = float(pixels @ values**2) / pixels.sum() - mean**2
    return mean, float(np.sqrt(max(variance, 0.0)))


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


def _sample(number: int) -> np.ndarray:
    """The numbers of up to 1000 of some images, evenly spaced."""
    return np.linspace(0, number - 1, min(_SAMPLE, number)).astype(int)


def _is_drawing(images: np.ndarray) -> bool:
    """Whether integers of 0 and 1 are strokes and paper, and not photos that were cut to 1."""
    if images.dtype.kind == "f" or images.shape[-1] != 1 or images.min() < 0:
        return False
    ones = images.reshape(len(images), -1).mean(1)
    return bool(np.median(np.minimum(ones, 1 - ones)) >= _DRAWN)
