"""Images by class, as all sources yield them and all samplers draw from them."""

import dataclasses
import functools
import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfmgaug.data import image_groups, photos
from tfmgaug.data.duplicates import Duplicates
from tfmgaug.data.enough import lacking
from tfmgaug.data.pixels import check_images, moments


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ImageClasses:
    """Images by class.

    Images of one class are adjacent: class `c` is `images[offsets[c]:offsets[c + 1]]`.

    Args:
        images: `[images, height, width, channels]` uint8 with 1 or 3 channels, in memory or
            memory-mapped.
        offsets: `[classes + 1]` integers that rise from 0 to the number of images.
        class_names: a different name for each class.
        name: what reports call these images, e.g. `"omniglot/train"`.
        unreadable: paths of images that were left out because they could not be read.
        groups: for each image an integer or a name that it shares with those of its class that
            belong together; episodes have no group on both sides. None: each is by itself.
        duplicates: how many images have a twin, if that was counted when the data were opened;
            `tfmgaug.data.count_duplicates` counts them otherwise.
        sizes: of photos that keep their aspect ratio, `[images, 2]` height and width: each is the
            upper left corner of its image, the rest of which is black. None: images fill theirs.

    Raises:
        TypeError: `images` is not a numpy array.
        ValueError: the arguments do not fit each other.

    Example:
    >>> classes = ImageClasses(np.zeros([6, 28, 28, 1], "uint8"), [0, 2, 6], ["a", "b"])
    >>> classes.counts
    array([2, 4])
    """

    images: np.ndarray
    offsets: np.ndarray
    class_names: tuple[str, ...]
    name: str = "images"
    unreadable: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    duplicates: Duplicates | None = None
    sizes: np.ndarray | None = None

    def __post_init__(self) -> None:
        offsets = np.array(self.offsets)
        if offsets.dtype.kind not in "iu":
            raise TypeError(f"`offsets` must be integers. Received dtype: {offsets.dtype}.")
        object.__setattr__(self, "offsets", offsets.astype(np.int64))
        object.__setattr__(self, "class_names", tuple(str(name) for name in self.class_names))
        object.__setattr__(self, "unreadable", tuple(str(path) for path in self.unreadable))
        self.offsets.flags.writeable = False
        check_images(self.images, stacklevel=5)
        self._check_classes()
        if self.groups is not None:
            object.__setattr__(self, "groups", image_groups.codes(self.groups, len(self.images)))
        if self.sizes is not None:
            object.__setattr__(self, "sizes", photos.checked_sizes(self.sizes, self.images.shape))

    def _check_classes(self) -> None:
        offsets, names = self.offsets, self.class_names
        if offsets.ndim != 1 or len(offsets) != len(names) + 1:
            raise ValueError(
                f"`offsets` must have one entry more than there are classes ({len(names)}). "
                f"Received shape: {offsets.shape}."
            )
        if offsets[0] != 0 or offsets[-1] != len(self.images):
            raise ValueError(
                f"`offsets` must go from 0 to the number of images ({len(self.images)}). "
                f"Received: {offsets[0]} to {offsets[-1]}."
            )
        empty = [names[c] for c in np.flatnonzero(np.diff(offsets) <= 0)]
        if empty:
            raise ValueError(f"Every class must have images. Received none for: {_some(empty)}.")
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"Class names must differ. Received more than once: {_some(twice)}.")

    def __len__(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    def __repr__(self) -> str:
        return (
            f"ImageClasses({self.name!r}, classes={len(self)}, images={len(self.images)}, "
            f"image_shape={self.image_shape})"
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.images.shape[1:]
        return int(height), int(width), int(channels)

    @property
    def counts(self) -> np.ndarray:
        """The number of images of each class, `[classes]`."""
        return np.diff(self.offsets)

    @property
    def mean(self) -> float:
        """The mean over all pixels of a fixed sample of up to 1000 images."""
        return self._moments[0]

    @property
    def standard_deviation(self) -> float:
        """The standard deviation over all pixels of a fixed sample of up to 1000 images."""
        return self._moments[1]

    @functools.cached_property
    def _moments(self) -> tuple[float, float]:
        if not len(self.images):
            raise ValueError(f"{self.name!r} holds no images to take a mean over.")
        return moments(self.images, self.sizes)

    def of_class(self, which: int | str) -> np.ndarray:
        """Returns the images of one class.

        Args:
            which: the class's index or name.

        Returns:
            A view `[images of the class, height, width, channels]`.
        """
        (index,) = self._indices([which])
        return self.images[self.offsets[index] : self.offsets[index + 1]]

    def subset(self, classes: Sequence[int | str], name: str | None = None) -> "ImageClasses":
        """Returns some of the classes, in the order given.

        Classes that stand one after the other share memory with this object; others are copied.

        Args:
            classes: indices or names.
            name: the name of the subset; None keeps this one's.

        Returns:
            The chosen classes. `unreadable` stays with the whole set.

        Raises:
            ValueError: a class is unknown.
        """
        indices = self._indices(classes)
        if indices and indices == list(range(indices[0], indices[0] + len(indices))):
            images = self.images[self.offsets[indices[0]] : self.offsets[indices[-1] + 1]]
        else:
            none = self.images[:0]
            images = np.concatenate([none, *(self.of_class(index) for index in indices)])
        return self.reordered(indices, images, name)

    def reordered(
        self, classes: Sequence[int | str], images: np.ndarray, name: str | None = None
    ) -> "ImageClasses":
        """Returns some of the classes, whose images are at hand in the order of these classes.

        Args:
            classes: indices or names.
            images: the images of these classes, one class after the other.
            name: the name of the result; None keeps this one's.

        Returns:
            The chosen classes, with their groups, duplicates and sizes.
        """
        indices = self._indices(classes)
        return ImageClasses(
            images,
            np.concatenate([[0], np.cumsum(self.counts[indices])]).astype(np.int64),
            tuple(self.class_names[index] for index in indices),
            self.name if name is None else name,
            groups=self._rows_of(self.groups, indices),
            duplicates=self.duplicates and self.duplicates.of_classes(indices),
            sizes=self._rows_of(self.sizes, indices),
        )

    def _rows_of(self, values: np.ndarray | None, indices: list[int]) -> np.ndarray | None:
        """What there is for each image of some classes, of an array with a row for each image."""
        if values is None:
            return None
        bounds = zip(self.offsets[indices], self.offsets[np.array(indices, int) + 1])
        return np.concatenate([values[:0], *(values[a:b] for a, b in bounds)])

    def with_enough(self, shot: int, query: int) -> "ImageClasses":
        """Returns the classes that can fill an episode.

        Args:
            shot: support images of each class.
            query: query images of each class.

        Returns:
            Those with `shot + query` images and, with `groups`, enough outside of those of any
            support set; this object if all are so.
        """
        without = set(lacking(self, shot, query).tolist())
        return self.subset([c for c in range(len(self)) if c not in without]) if without else self

    def take(self, number: int, seed: int = 0) -> "ImageClasses":
        """Returns some of the classes, chosen at random.

        With one seed, fewer classes are among the more: runs on 10, 20 and 40 differ in nothing
        else. The chosen classes keep their order, and are copied in memory.

        Args:
            number: how many classes.
            seed: determines which.

        Returns:
            The chosen classes.

        Raises:
            ValueError: `number` is less than 1, or more than there are.
        """
        if not 1 <= operator.index(number) <= len(self):
            raise ValueError(
                f"`number` must be from 1 to {len(self)}, the classes of {self.name!r}. "
                f"Received: {number}."
            )
        order = np.random.default_rng(seed).permutation(len(self))
        return self.subset(sorted(order[:number].tolist()))

    def with_rotations(self) -> "ImageClasses":
        """Returns four times the classes: class `c` turned by `r` * 90 degrees is `c + C * r`.

        `C` is the number of classes; turns are counterclockwise. The result is held in memory:
        `RotatedClasses` gives a sampler the same classes without that.

        Returns:
            The classes followed by those turned by 90, 180 and 270 degrees, whose names end in
            `@90`, `@180` and `@270`.

        Raises:
            ValueError: the images are not square, or are photos that keep their aspect ratio.
        """
        if self.sizes is not None:
            raise ValueError(
                "Photos that keep their aspect ratio can't be turned before they are cropped. "
                "Give the sampler RotatedClasses, or load them without keep_aspect_ratio."
            )
        height, width, _ = self.image_shape
        if height != width:
            raise ValueError(f"Rotations need square images. Received: {height} x {width}.")
        images = np.concatenate([np.rot90(self.images, r, axes=(1, 2)) for r in range(4)])
        starts = [self.offsets[:-1] + r * len(self.images) for r in range(4)]
        turned = [f"{name}@{90 * r}" for r in range(1, 4) for name in self.class_names]
        twins = self.duplicates
        return dataclasses.replace(
            self,
            images=images,
            offsets=np.concatenate([*starts, [len(images)]]),
            class_names=(*self.class_names, *turned),
            groups=None if self.groups is None else np.tile(self.groups, 4),
            duplicates=twins and twins.of_classes(np.tile(np.arange(len(self)), 4)),
        )

    @functools.cached_property
    def _by_name(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.class_names)}

    def _indices(self, classes: Sequence[int | str]) -> list[int]:
        by_name = self._by_name
        unknown = [name for name in classes if isinstance(name, str) and name not in by_name]
        if unknown:
            raise ValueError(f"{self.name!r} has no classes named {_some(unknown)}.")
        indices = [by_name[c] if isinstance(c, str) else operator.index(c) for c in classes]
        outside = [index for index in indices if not 0 <= index < len(self)]
        if outside:
            raise ValueError(
                f"{self.name!r} has {len(self)} classes, numbered from 0. Received: {outside[:10]}."
            )
        return indices


class Splits(NamedTuple):
    """Three sets of images whose classes differ.

    Attributes:
        train: classes to meta-train on.
        validation: classes that choose the checkpoint and the hyperparameters.
        test: classes that the reported accuracy is measured on.
    """

    train: ImageClasses
    validation: ImageClasses
    test: ImageClasses


def _some(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
