"""Checks of the arguments that several backbones take."""

from collections.abc import Iterable

from tfmgaug.types import ImageShape


def check_way(way: int | None, smallest: int = 2) -> None:
    """Refuses too few outputs.

    Args:
        way: int, number of outputs; None: a network without a head.
        smallest: int, the least number of outputs.

    Raises:
        ValueError: `way` is less.
    """
    if way is not None and way < smallest:
        raise ValueError(
            f"`way` must be at least {smallest}, or None for no head. Received: way={way}."
        )


def check_image_shape(image_shape: ImageShape, smallest: int, reason: str = "") -> None:
    """Refuses what is not the shape of an image, and images that are too small.

    Args:
        image_shape: (height, width, channels).
        smallest: int, the least height and width.
        reason: str, why images must not be smaller; continues a sentence.

    Raises:
        ValueError: the shape has other axes, or one that is too small.
    """
    if len(image_shape) != 3 or min(image_shape[:2]) < smallest or image_shape[2] < 1:
        raise ValueError(
            "`image_shape` must be (height, width, channels) with height and width at least "
            f"{smallest}{reason}. Received: image_shape={tuple(image_shape)}."
        )


def check_epsilon(normalization_epsilon: float) -> None:
    """Refuses an epsilon of normalization that is not positive.

    Args:
        normalization_epsilon: float, what is added to variances.

    Raises:
        ValueError: it is zero or less.
    """
    if not normalization_epsilon > 0:
        raise ValueError(
            "`normalization_epsilon` must be positive. "
            f"Received: normalization_epsilon={normalization_epsilon}."
        )


def check_pooling(pooling: str, known: Iterable[str]) -> None:
    """Refuses unknown kinds of pooling.

    Args:
        pooling: str.
        known: names of the kinds that the backbone has.

    Raises:
        ValueError: `pooling` is none of them.
    """
    if pooling not in known:
        raise ValueError(f"`pooling` must be one of {tuple(known)}. Received: {pooling!r}.")
