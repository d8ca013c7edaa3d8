"""Image augmentation and crops, by random numbers that are passed in."""

import abc
import numbers
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfmgaug.data import decoding, photo_crops, recoloring, square_crops
from tfmgaug.randomness import uniform

_ATTEMPTS, _CROP_DRAWS = photo_crops.ATTEMPTS, photo_crops.DRAWS


class ImageTransform(abc.ABC):
    """Changes every image for itself, so that those of many tasks can be changed at once.

    Attributes:
        draws: how many uniform numbers an image needs.
        crops_photos: whether it takes photos of several sizes, as `ImageClasses` with `sizes` hold
            them: `apply` then has a third argument, their heights and widths `[images, 2]`.
    """

    draws = 0
    crops_photos = False

    @abc.abstractmethod
    def apply(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """The transformed images.

        Args:
            images: `[images, height, width, channels]` uint8.
            draws: `[images, self.draws]` float32 in [0, 1).

        Returns:
            `[images, *output_shape(height, width, channels)]` uint8.
        """

    def output_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """The shape of a transformed image.

        Args:
            image_shape: height, width and channels of an image.

        Returns:
            The same of the result.

        Raises:
            ValueError: the transform can't deal with such images.
        """
        height, width, channels = image_shape
        return height, width, channels

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ImageTransform":
        """Builds the transform from what its `get_config` returned."""
        return cls(**config)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The transformed images, with the draws of a seed.

        Args:
            images: `[images, height, width, channels]` uint8.
            seed: `[2]` integers.

        Returns:
            `[images, *output_shape(height, width, channels)]` uint8.

        Raises:
            ValueError: if the images are not four-dimensional or not uint8, or a graph is traced
                without their size.
        """
        images = tf.convert_to_tensor(images)
        known = images.shape.rank == 4 and images.shape[1:].is_fully_defined()
        if not known or images.dtype != tf.uint8:
            raise ValueError(
                "Expected images [images, height, width, channels] of dtype uint8, of a size that "
                "is known when a graph is traced (with `resolutions` it is not). Received: "
                f"shape {images.shape}, dtype {images.dtype.name}"
            )
        self.output_shape(images.shape[1:])
        seed = tf.cast(seed, tf.int32)
        return self.apply(images, uniform([tf.shape(images)[0], self.draws], seed))


@keras.saving.register_keras_serializable("tfmgaug")
class Augment(ImageTransform):
    """Random resized crop, color jitter and horizontal flip, drawn anew for every image.

    A crop covers a uniform share of the image's area, has a log-uniform aspect ratio and is
    resized, bilinearly, to the size of the image. Of photos that keep their aspect ratio
    (`load(..., keep_aspect_ratio=True)`), the crop is a rectangle of the photo, and the ratio is
    its own, as in torchvision's `RandomResizedCrop`; of images that were resized to one size, it is
    relative to theirs. Brightness, contrast and saturation are then
    multiplied, in this order, by factors uniform in [1 - jitter, 1 + jitter]; gray images have no
    saturation. Half of the images are flipped. The defaults are those of the paper; characters
    that differ from their mirror image want `flip=False`.

    All draws depend on the seed alone: the same images and seed give the same result.

    Args:
        crop_scale: `(low, high)`, the share of the area that a crop covers; None for no crop.
        jitter: half width of the range of the factors, from 0 (none) to 1.
        flip: whether half of the images are flipped horizontally.
        aspect_ratio: `(low, high)`, width over height of a crop, relative to the image's, but of
            photos in pixels.
        image_size: a side or `(height, width)` that crops are resized to, which photos need; None
            for the image's.

    Raises:
        TypeError: if an argument has a wrong type.
        ValueError: if an argument is out of range.

    Example:
    >>> episodes = EpisodeSampler(train, transform=Augment(flip=False))
    >>> images = Augment()(images, seed=(0, 1))

    Reference:
        Wang et al., Improving Generalization in Meta-Learning via Meta-Gradient Augmentation
        (2023), the image augmentation of its experiments.
    """

    def __init__(
        self,
        crop_scale: tuple[float, float] | None = (0.08, 1.0),
        jitter: float = 0.4,
        flip: bool = True,
        aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3),
        image_size: int | tuple[int, int] | None = None,
    ) -> None:
        if crop_scale is not None:
            crop_scale = _check_range("crop_scale", crop_scale)
            if crop_scale[1] > 1:
                raise ValueError(f"`crop_scale` must not exceed 1. Received: {crop_scale}")
        recoloring.check(jitter, flip)
        if crop_scale is None and image_size is not None:
            raise ValueError(
                f"`image_size` is that of crops. Received: {image_size!r} with crop_scale=None"
            )
        self.crop_scale = crop_scale
        self.jitter = float(jitter)
        self.flip = flip
        self.aspect_ratio = _check_range("aspect_ratio", aspect_ratio)
        self.image_size = decoding.check_image_size(image_size)
        self.draws = _CROP_DRAWS + recoloring.DRAWS

    @property
    def crops_photos(self) -> bool:  # type: ignore[override]
        """Whether it has a size that photos of several sizes are brought to."""
        return self.crop_scale is not None and self.image_size is not None

    def output_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return (*(self.image_size or image_shape[:2]), image_shape[2])

    def apply(
        self, images: tf.Tensor, draws: tf.Tensor, sizes: tf.Tensor | None = None
    ) -> tf.Tensor:
        shape = self.output_shape(images.shape[1:])
        crop, colors = tf.split(draws, [_CROP_DRAWS, recoloring.DRAWS], axis=1)
        if sizes is not None:
            boxes = photo_crops.boxes(crop, sizes, self.crop_scale, self.aspect_ratio)
            images = photo_crops.resized(images, boxes, *shape[:2])
        elif self.crop_scale is not None:
            images = square_crops.cropped(images, self._boxes(crop), *shape[:2])
        images = recoloring.recolored(images, colors, self.jitter, self.flip)
        return tf.ensure_shape(images, [None, *shape])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        return {
            "crop_scale": self.crop_scale,
            "jitter": self.jitter,
            "flip": self.flip,
            "aspect_ratio": self.aspect_ratio,
            "image_size": self.image_size,
        }

    def _boxes(self, draws: tf.Tensor) -> tf.Tensor:
        """Crops `[images, 4]` as shares of the image: top, left, bottom, right."""
        areas, ratios, place = tf.split(draws, [_ATTEMPTS, _ATTEMPTS, 2], axis=1)
        low, high = self.crop_scale
        areas = low + (high - low) * areas
        low, high = (tf.math.log(bound) for bound in self.aspect_ratio)
        ratios = tf.exp(low + (high - low) * ratios)
        sizes = tf.stack([tf.sqrt(areas / ratios), tf.sqrt(areas * ratios)], axis=-1)
        # The first attempt that fits into the image; the last one is cut where none does.
        fits = tf.cast(tf.reduce_max(sizes, axis=-1) <= 1.0, tf.float32)
        fits += tf.one_hot(_ATTEMPTS - 1, _ATTEMPTS, on_value=0.5)
        first = tf.argmax(tf.minimum(fits, 1.0), axis=-1)
        size = tf.minimum(tf.gather(sizes, first, batch_dims=1), 1.0)
        start = place * (1.0 - size)
        # Rounding must not push a corner outside, where the resize would paint it black.
        return tf.clip_by_value(tf.concat([start, start + size], axis=-1), 0.0, 1.0)


@keras.saving.register_keras_serializable("tfmgaug")
class CenterCrop(ImageTransform):
    """Cuts the center out of images that are larger than what a learner takes.

    The papers on photos test on images resized to 1.15 times the size, of which they take the
    center: load them at that size, `int(1.15 * size)`, and crop.

    Args:
        image_size: a side or `(height, width)` of the result.

    Raises:
        ValueError: if a side is not a positive integer.

    Example:
    >>> splits = load("cub", image_size=96)
    >>> EpisodeSampler(splits.train, transform=Augment(image_size=84))
    >>> EpisodeSampler(splits.test, transform=CenterCrop(84))
    """

    def __init__(self, image_size: int | tuple[int, int]) -> None:
        self.image_size = decoding.check_image_size(image_size)
        if self.image_size is None:
            raise ValueError("`image_size` must be a positive integer or (height, width).")

    def output_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        if any(side > whole for side, whole in zip(self.image_size, image_shape)):
            raise ValueError(
                f"The center of {self.image_size} needs larger images. Received: {image_shape[0]} "
                f"x {image_shape[1]}"
            )
        return (*self.image_size, image_shape[2])

    def apply(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        height, width, _ = self.output_shape(images.shape[1:])
        top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
        return images[:, top : top + height, left : left + width]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        return {"image_size": self.image_size}


def check_transform(classes: Any, transform: Any) -> None:
    """Refuses photos of several sizes without a transform that brings them to one.

    Args:
        classes: images by class.
        transform: of a sampler; None for none.

    Raises:
        ValueError: the classes have `sizes`, and the transform does not crop photos.
    """
    if getattr(classes, "sizes", None) is None or getattr(transform, "crops_photos", False):
        return
    received = None if transform is None else type(transform).__name__
    raise ValueError(
        f"{classes.name!r} holds photos that keep their aspect ratio. Expected a `transform` that "
        f"crops them, Augment(image_size=...). Received: {received}. For other transforms load "
        "them without keep_aspect_ratio."
    )


def sizes_of(sizes: np.ndarray | None, rows: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """The further arguments of `ImageTransform.apply` for some images.

    Args:
        sizes: of photos that keep their aspect ratio, `[images, 2]`; None for other images.
        rows: integers of any shape, which images.

    Returns:
        Heights and widths `[rows, 2]`, or nothing.
    """
    return () if sizes is None else (tf.gather(tf.constant(sizes), tf.reshape(rows, [-1])),)


def _check_range(name: str, bounds: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(bounds, tuple | list) or not all(
        isinstance(bound, numbers.Real) and not isinstance(bound, bool) for bound in bounds
    ):
        raise TypeError(f"`{name}` must be a pair of numbers (low, high). Received: {bounds!r}")
    if len(bounds) != 2 or not 0 < bounds[0] <= bounds[1] < float("inf"):
        raise ValueError(f"`{name}` must be (low, high) with 0 < low <= high. Received: {bounds!r}")
    return float(bounds[0]), float(bounds[1])
