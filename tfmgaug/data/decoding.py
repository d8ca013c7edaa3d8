"""Decoding of image files to uint8 pixels."""

import functools
import importlib.util
import io
import operator
import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from tfmgaug.data import image_fit as fits

HEIC = (".heic", ".heics", ".heif", ".heifs", ".hif")  # read where pillow-heif is installed

# Pillow knows the names of these formats, but reads none without another program or library.
_WITHOUT_DECODER = ("BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF")

_GRAY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION = 0x0112  # the EXIF tag
_DRAFT = 3  # a JPEG is decoded at no less than this multiple of the size asked for


class Header(NamedTuple):
    """What an image file says about itself before its pixels are decoded.

    Attributes:
        gray: whether it has no colors.
        height: rows, once turned upright.
        width: columns, once turned upright.
    """

    gray: bool
    height: int
    width: int


@functools.cache
def suffixes() -> frozenset[str]:
    """Returns how the names of files end that can be read, in lower case.

    It is every ending that Pillow has a reader for; with the package pillow-heif, those of HEIC
    too.
    """
    if importlib.util.find_spec("pillow_heif") is not None:
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.init()
    read = set(Image.OPEN) - set(_WITHOUT_DECODER) | {"MPO"}  # MPO is opened as a JPEG
    return frozenset(suffix for suffix, name in Image.EXTENSION.items() if name in read)


def read_header(source: pathlib.Path | bytes) -> Header:
    """Reads an image's header.

    Args:
        source: a file, or its bytes.

    Returns:
        The header. Damaged files raise errors of many kinds, as Pillow's decoders do.
    """
    with _open(source) as image:
        width, height = image.size
        if image.getexif().get(_ORIENTATION, 1) >= 5:  # lies on its side
            width, height = height, width
        return Header(_is_gray(image), height, width)


def decode(
    source: pathlib.Path | bytes,
    image_size: tuple[int, int] | None = None,
    channels: int = 3,
    box: tuple[int, int, int, int] | None = None,
    keep_aspect_ratio: bool = False,
    image_fit: fits.ImageFit = "squash",
) -> np.ndarray:
    """Decodes an image, turned upright, over white where it is transparent.

    Args:
        source: a file, or its bytes.
        image_size: height and width to resize to (an antialiased Lanczos filter; the aspect ratio
            is not kept), or None.
        channels: 1 or 3.
        box: what to cut out of the upright image before: left, upper, right and lower edge in
            pixels; None for all of it.
        keep_aspect_ratio: shrink the image to fit into `image_size` instead, and leave one that
            fits as it is.
        image_fit: `"center_crop"` cuts the center out of the image, see `image_fit.center_crop`;
            others resize all of it.

    Returns:
        `[height, width, channels]` uint8. Damaged files raise errors of many kinds, as Pillow's
        decoders do.
    """
    with _open(source) as image:
        if image_size is not None and box is None:  # a draft has other coordinates
            side = max(fits.enlarged(image_size) if image_fit == "center_crop" else image_size)
            image.draft(None, (_DRAFT * side, _DRAFT * side))
        flat = _flatten(ImageOps.exif_transpose(image), "L" if channels == 1 else "RGB")
    flat = flat if box is None else flat.crop(box)
    if image_fit == "center_crop":
        flat = fits.center_crop(flat, image_size)  # type: ignore[arg-type]
    if keep_aspect_ratio:
        image_size = fitted(flat.height, flat.width, image_size)
    if image_size is not None and flat.size != image_size[::-1]:
        flat = flat.resize(image_size[::-1], Image.Resampling.LANCZOS)
    array = np.asarray(flat)
    return array[:, :, np.newaxis] if channels == 1 else array


def fitted(height: int, width: int, image_size: tuple[int, int]) -> tuple[int, int]:
    """Returns the size of an image once it is shrunk, if need be, to fit into another size.

    Args:
        height: of the image.
        width: of the image.
        image_size: height and width to fit into.
    """
    share = min(1.0, image_size[0] / height, image_size[1] / width)
    return max(1, round(share * height)), max(1, round(share * width))


def resize(images: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Resizes images as `decode` does.

    Args:
        images: `[images, height, width, channels]` uint8 with 1 or 3 channels.
        image_size: height and width.

    Returns:
        `[images, *image_size, channels]` uint8.
    """
    if images.shape[1:3] == image_size:
        return images
    gray = images.shape[3] == 1
    resized = [
        Image.fromarray(image[:, :, 0] if gray else image).resize(
            image_size[::-1], Image.Resampling.LANCZOS
        )
        for image in images
    ]
    return np.stack([np.asarray(image) for image in resized]).reshape(
        len(images), *image_size, images.shape[3]
    )


def check_image_size(image_size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Returns height and width for a size given as one number or two, None for None.

    Args:
        image_size: a side, or `(height, width)`, or None.

    Returns:
        `(height, width)` or None.

    Raises:
        ValueError: a side is not a positive integer.
    """
    if image_size is None:
        return None
    try:
        sides = tuple(map(operator.index, image_size)) if np.ndim(image_size) else ()  # type: ignore[arg-type]
        sides = sides or (operator.index(image_size),) * 2  # type: ignore[arg-type]
    except TypeError:
        sides = ()
    if len(sides) != 2 or min(sides) < 1:
        raise ValueError(
            f"`image_size` must be a positive integer or (height, width). Received: {image_size!r}."
        )
    return sides


def check_channels(channels: int | None) -> int | None:
    """Returns the number of channels if it is 1, 3 or None.

    Args:
        channels: the number of channels.

    Returns:
        The same.

    Raises:
        ValueError: it is something else.
    """
    if channels not in (None, 1, 3):
        raise ValueError(f"`channels` must be 1, 3 or None. Received: {channels!r}.")
    return channels


def _open(source: pathlib.Path | bytes) -> Image.Image:
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)


def _is_gray(image: Image.Image) -> bool:
    if image.mode != "P":
        return image.mode in _GRAY_MODES
    palette = np.reshape(image.getpalette("RGB"), (-1, 3))
    return bool((palette == palette[:, :1]).all())


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range; expected 8 or 16 bits")
    if image.mode in _DEEP_MODES:
        # Pillow would clip 16 bits to 255 instead of scaling them.
        deep = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
        image = Image.fromarray(deep.astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        image = image.convert("RGB")
    return image.convert(mode)
