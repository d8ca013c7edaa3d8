"""The reader of FGVC-Aircraft's official archive."""

import pathlib

from tfmgaug.data.folders import Folder

URL = "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz"
WANTED = (
    "the unpacked archive fgvc-aircraft-2013b, with images/, images_variant_train.txt, "
    f"images_variant_val.txt, images_variant_test.txt and images_box.txt in data/, from {URL}"
)

_PLACES = ("", "data", "fgvc-aircraft-2013b/data")
_LISTS = tuple(f"images_variant_{part}.txt" for part in ("train", "val", "test"))
_BOXES = "images_box.txt"


def scan(root: pathlib.Path) -> Folder | None:
    """Lists the images of the official archive by variant, its three sets together.

    Args:
        root: the unpacked archive, its folder `data`, or the folder that holds it.

    Returns:
        The `Folder` of all variants, `-` in place of `/` in their names, with the boxes around the
        planes: below them stands a copyright line. None if there is no such archive.

    Raises:
        FileNotFoundError: a file of the archive is missing.
        ValueError: a list is laid out otherwise.

    Reference:
        Maji et al., Fine-Grained Visual Classification of Aircraft, 2013,
        https://arxiv.org/abs/1306.5151.
    """
    for place in _PLACES:
        if any((root / place / name).is_file() for name in _LISTS):
            return _read(root / place)
    return None


def _read(data: pathlib.Path) -> Folder:
    pairs = [pair for name in _LISTS for pair in _lines(data / name)]
    files = {image: f"images/{image}.jpg" for image, _ in pairs}
    missing = [file for file in files.values() if not (data / file).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(files)} images of FGVC-Aircraft are missing: place "
            f"{missing[0]!r} and so on in {str(data)!r}."
        )
    classes: dict[str, list[str]] = {}
    for image, variant in sorted(pairs):
        classes.setdefault(variant.replace("/", "-"), []).append(files[image])
    boxes = {files[i]: _box(data, i, b) for i, b in _lines(data / _BOXES) if i in files}
    unboxed = sorted(set(files.values()) - set(boxes))
    if unboxed:
        raise ValueError(
            f"{str(data / _BOXES)!r} has no box for {len(unboxed)} images, e.g. {unboxed[0]!r}."
        )
    return Folder(data, dict(sorted(classes.items())), None, boxes)


def _lines(path: pathlib.Path) -> list[list[str]]:
    """The lines of a list, each an image and what is said of it."""
    if not path.is_file():
        raise FileNotFoundError(
            f"A file of FGVC-Aircraft is missing: place {path.name} in {str(path.parent)!r}. "
            f"It is part of {URL}"
        )
    lines = [line.split(" ", 1) for line in path.read_text().splitlines() if line]
    wrong = [" ".join(line) for line in lines if len(line) != 2]
    if wrong:
        raise ValueError(
            f"Expected an image and what it shows in each line of {str(path)!r}. "
            f"Received: {wrong[0]!r}."
        )
    return lines


def _box(data: pathlib.Path, image: str, text: str) -> tuple[int, int, int, int]:
    """Left, upper, right and lower edge; in the file, pixels count from 1 and all are inside."""
    try:
        left, upper, right, lower = map(int, text.split())
    except ValueError as error:
        raise ValueError(
            f"Expected four numbers for {image!r} in {str(data / _BOXES)!r}. Received: {text!r}."
        ) from error
    return left - 1, upper - 1, right, lower
