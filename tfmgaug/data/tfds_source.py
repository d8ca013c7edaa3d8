"""Images by class from TensorFlow Datasets."""

import importlib.util
import os
import pathlib
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tfmgaug.data import cache, decoding, photos, workers
from tfmgaug.data import image_fit as fits
from tfmgaug.data.duplicates import with_duplicates
from tfmgaug.data.image_classes import ImageClasses

_BATCH = 1024
_BOX = "bbox"  # the feature that holds the box around what an image shows
_PATIENCE = 20  # seconds until a server counts as out of reach

# Modules, by package, that preparing a data set takes; it is found out after the download only.
_PACKAGES = {"caltech_birds2011": ("cv2", "opencv-python-headless")}


def from_tfds(
    dataset: str,
    split: str = "all",
    image_size: int | tuple[int, int] | None = None,
    *,
    image_key: str = "image",
    label_key: str | Sequence[str] = "label",
    channels: int | None = None,
    invert: bool = False,
    classes: Sequence[str] | None = None,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
    cache_dir: str | os.PathLike | None = None,
    name: str | None = None,
    keep_aspect_ratio: bool = False,
    image_fit: fits.ImageFit = "squash",
) -> ImageClasses:
    """Reads the images of a TensorFlow Datasets classification set by class.

    Images are decoded once to uint8 and kept in the cache under their content and size. Split the
    result with `tfmgaug.data.split_classes`, or with `subset` by lists of names.

    Args:
        dataset: its name in TensorFlow Datasets.
        split: which of its splits to read, e.g. `"train+test"`.
        image_size: a side or `(height, width)` to resize to (antialiased, without keeping the
            aspect ratio). None keeps the size, which all images must then share.
        image_key: the feature that holds the image.
        label_key: the feature that holds the class; several make one class of each combination,
            named after all of them with a slash between.
        channels: 1 or 3; None takes what the data set declares.
        invert: whether to turn black into white.
        classes: names of the classes to read, the others are not decoded; None reads all.
        data_dir: where prepared data sets are; None takes TensorFlow Datasets' default,
            `~/tensorflow_datasets`.
        download: whether to download and prepare a data set that is not there.
        cache_dir: folder of the cache; None takes `TFMGAUG_CACHE` or `~/.cache/tfmgaug`.
        name: what reports call the set; None takes `dataset`.
        keep_aspect_ratio: shrink the images to fit into `image_size`, see `from_folder`.
        image_fit: how an image becomes one of `image_size`, see `from_folder`. `"bounding_box"`
            cuts out the box around the object and resizes it, without keeping the aspect ratio; the
            data set must have a feature `bbox`.

    Returns:
        The classes of the split, in the order of their labels, memory-mapped.

    Raises:
        FileNotFoundError: the data set is not prepared, and `download` is False or fails; the
            message names the files to be placed by hand, where, and their checksums.
        ValueError: there is no such data set, feature or class, or images differ in size.
        OSError: the cache cannot be written.

    Example:
    >>> classes = from_tfds("omniglot", "train+test", image_size=28, channels=1)
    """
    image_size = decoding.check_image_size(image_size)
    photos.check(keep_aspect_ratio, image_size)
    fits.check(image_fit, image_size, keep_aspect_ratio)
    keys = (label_key,) if isinstance(label_key, str) else tuple(label_key)
    builder = _prepared(dataset, data_dir, download)
    _check_image(builder, image_key)
    if decoding.check_channels(channels) is None:
        channels = 1 if builder.info.features[image_key].shape[-1] == 1 else 3
    _check_labels(builder, keys)
    fits.refuse_without_boxes(image_fit, _BOX in builder.info.features, repr(dataset))
    root = pathlib.Path(os.fspath(builder.data_path))
    files = sorted(file.name for file in root.iterdir() if file.is_file())
    key = cache.make_key(
        *("tfds", cache.content_key(root, files, cache_dir), dataset, split),
        *(image_size, image_key, keys, channels, invert),
        *(() if classes is None else (sorted(classes),)),
        *(("photos",) if keep_aspect_ratio else ()),
        *(() if image_fit == "squash" else (image_fit,)),
    )

    def build(writer: cache.Writer) -> tuple[int, dict[str, Any]]:
        labels = _read_labels(builder, split, keys)
        chosen = _chosen(builder, split, labels, keys, classes)
        options = (image_size, channels, keep_aspect_ratio, image_fit, invert)
        images = _read_images(builder, split, image_key, chosen, *options)
        padded: Any = photos.Padded(writer, image_size) if keep_aspect_ratio else writer
        names = [labels[chosen], dataset, builder.info.features, keys]
        number, details = _write_by_class(padded, images, *names)
        return number, details | ({"sizes": padded.sizes} if keep_aspect_ratio else {})

    images, details = cache.cached_images(key, build, cache_dir)
    offsets = np.concatenate([[0], np.cumsum(details["counts"])])
    title, sizes = dataset if name is None else name, details.get("sizes")
    read = ImageClasses(images, offsets, details["class_names"], title, sizes=sizes)
    return read if keep_aspect_ratio else with_duplicates(read, key, cache_dir)


def _prepared(dataset: str, data_dir: str | os.PathLike | None, download: bool) -> Any:
    """Returns the builder of a data set whose records are on disk."""
    import tensorflow_datasets as tfds  # imports slowly, and few programs need it

    place = None if data_dir is None else pathlib.Path(data_dir).expanduser()
    try:
        builder = tfds.builder(dataset, data_dir=place)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ValueError(f"TensorFlow Datasets has no data set {dataset!r}.") from error
    if builder.is_prepared():
        return builder
    if not download:
        raise FileNotFoundError(
            f"There are no prepared records of {dataset!r} in {str(builder.data_path)!r}. Expected "
            f"`data_dir` to be the folder that holds {_relative(builder)}, or download=True. "
            f"Received: data_dir={None if data_dir is None else str(data_dir)!r}."
        )
    try:
        _check_package(builder)
        _check_reachable(builder)
        builder.download_and_prepare()
    except Exception as error:  # TensorFlow Datasets and its libraries raise many kinds
        raise FileNotFoundError(_by_hand(builder, error)) from error
    return builder


def _relative(builder: Any) -> str:
    return f"{pathlib.Path(builder.data_path).relative_to(builder.data_dir_root).as_posix()}/"


def _downloads(builder: Any) -> pathlib.Path:
    return pathlib.Path(os.fspath(builder.data_dir_root)) / "downloads"


def _check_package(builder: Any) -> None:
    module, package = _PACKAGES.get(builder.name, (None, None))
    if module is not None and importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(f"preparing it takes another package: pip install {package}")


def _check_reachable(builder: Any) -> None:
    """Fails within seconds without a network, where the downloader would retry for minutes."""
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        return  # its files are placed by hand, nothing is downloaded
    manual = _downloads(builder) / "manual"
    urls = builder.url_infos or {}
    needed = [url for url, info in urls.items() if not (manual / str(info.filename)).exists()]
    if not needed or any(_downloads(builder).glob(f"{builder.name}/*.INFO.json")):
        return
    request = urllib.request.Request(needed[0], method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE).close()
    except urllib.error.HTTPError:
        return  # a server that answers; what it answers to a download is another matter


def _by_hand(builder: Any, error: Exception) -> str:
    files = "".join(
        f"\n  {info.filename or url.rsplit('/', 1)[-1]}  {int(info.size)} bytes  "
        f"sha256 {info.checksum}\n    from {url}"
        for url, info in sorted((builder.url_infos or {}).items())
    )
    return (
        f"{builder.name!r} could not be downloaded and prepared: {error}\n"
        f"Place its files in {str(_downloads(builder) / 'manual')!r} by hand and start again, or "
        f"pass as `data_dir` a folder that holds {_relative(builder)} with prepared records:"
        f"{files or ' (TensorFlow Datasets lists no files for it)'}"
    )


def _check_image(builder: Any, image_key: str) -> None:
    import tensorflow_datasets as tfds

    features = builder.info.features
    image = dict(features.items()).get(image_key)
    if not isinstance(image, tfds.features.Image) or np.dtype(image.np_dtype) != np.uint8:
        raise ValueError(
            f"Expected {image_key!r} to be a uint8 image feature of {builder.name!r}. "
            f"Received features: {list(features)}."
        )


def _check_labels(builder: Any, keys: tuple[str, ...]) -> None:
    features = builder.info.features
    for key in keys:
        if key not in features or features[key].shape != () or _kind(features[key]) != "i":
            raise ValueError(
                f"Expected {key!r} to be an integer feature of {builder.name!r}. "
                f"Received features: {list(features)}."
            )


def _kind(feature: Any) -> str:
    return np.dtype(feature.np_dtype).kind


def _read(builder: Any, split: str, features: Sequence[str], encoded: Sequence[str] = ()) -> Any:
    """A dataset of batches of some features, images still encoded, in the order of the records."""
    import tensorflow_datasets as tfds

    return builder.as_dataset(
        split=split,
        # Other features, such as the masks of CUB, would be decoded and padded to the largest.
        decoders=tfds.decode.PartialDecoding(
            dict.fromkeys(features, True),
            decoders={key: tfds.decode.SkipDecoding() for key in encoded},
        ),
        read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
        batch_size=_BATCH,
    )


def _read_labels(builder: Any, split: str, keys: tuple[str, ...]) -> np.ndarray:
    """Labels `[images, keys]`."""
    dataset = _read(builder, split, keys).map(lambda batch: [batch[key] for key in keys])
    batches = [np.stack([np.asarray(column) for column in batch], 1) for batch in dataset]
    if not batches:
        raise ValueError(f"The split {split!r} of {builder.name!r} is empty.")
    return np.concatenate(batches)


def _chosen(
    builder: Any,
    split: str,
    labels: np.ndarray,
    keys: tuple[str, ...],
    classes: Sequence[str] | None,
) -> np.ndarray:
    """Whether each image is of one of the classes, `[images]`."""
    if classes is None:
        return np.ones(len(labels), bool)
    distinct, class_of = np.unique(labels, axis=0, return_inverse=True)
    names = [_class_name(builder.info.features, keys, label) for label in distinct]
    missing = sorted(set(classes) - set(names))
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(classes)} classes have no images in the split {split!r} of "
            f"{builder.name!r}, e.g. {missing[0]!r}."
        )
    return np.isin(names, list(classes))[class_of.ravel()]


def _read_images(
    builder: Any,
    split: str,
    image_key: str,
    chosen: np.ndarray,
    image_size: tuple[int, int] | None,
    channels: int,
    keep_aspect_ratio: bool,
    image_fit: fits.ImageFit,
    invert: bool,
) -> Iterator[np.ndarray]:
    def decode(example: tuple[Any, ...]) -> np.ndarray:
        encoded, *edges = example
        box = _in_pixels(encoded, *edges) if edges else None
        image = decoding.decode(encoded, image_size, channels, box, keep_aspect_ratio, image_fit)
        return 255 - image if invert else image

    features = [image_key, *([_BOX] if image_fit == "bounding_box" else ())]
    for number, batch in enumerate(_read(builder, split, features, [image_key])):
        wanted = chosen[number * _BATCH : (number + 1) * _BATCH]
        columns = [batch[feature].numpy()[wanted] for feature in features]
        yield from workers.map_in_order(decode, zip(*columns))


def _in_pixels(encoded: bytes, edges: np.ndarray) -> tuple[int, int, int, int]:
    """Left, upper, right and lower edge of a box, whose edges are shares of height and width."""
    header = decoding.read_header(encoded)
    upper, left, lower, right = (float(edge) for edge in edges)
    height, width = header.height, header.width
    return round(left * width), round(upper * height), round(right * width), round(lower * height)


def _write_by_class(
    writer: cache.Writer,
    images: Iterator[np.ndarray],
    labels: np.ndarray,
    dataset: str,
    features: Any,
    keys: tuple[str, ...],
) -> tuple[int, dict[str, Any]]:
    """Writes each image to the place that its class has in the order of the labels."""
    classes, class_of, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    rows = np.empty(len(labels), np.int64)
    rows[np.argsort(class_of.ravel(), kind="stable")] = np.arange(len(labels))
    for index, (row, image) in enumerate(zip(rows, images, strict=True)):
        if writer.shape not in (None, image.shape):
            raise ValueError(
                f"The images of {dataset!r} differ in size: number {index} is {image.shape}, those "
                f"before it {writer.shape}. Pass image_size, e.g. image_size=84, to resize them."
            )
        writer.write(int(row), image)
    names = [_class_name(features, keys, label) for label in classes]
    return len(labels), {"counts": counts.tolist(), "class_names": names}


def _class_name(features: Any, keys: tuple[str, ...], label: np.ndarray) -> str:
    return "/".join(_name(features[key], value) for key, value in zip(keys, label))


def _name(feature: Any, value: int) -> str:
    return feature.int2str(int(value)) if hasattr(feature, "int2str") else str(int(value))
