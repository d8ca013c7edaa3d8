"""Ways to make images of one size of images of any shape."""

from typing import Any, Literal, get_args

from PIL import Image

ImageFit = Literal["squash", "center_crop", "bounding_box"]

_MARGIN = 1.5  # sides of the image that a center crop is cut out of, in sides of the crop


def check(image_fit: ImageFit, image_size: Any, keep_aspect_ratio: bool) -> None:
    """Refuses what is no way to fit images into a size, or has no size to fit them into.

    Args:
        image_fit: the way.
        image_size: the size, or None for that of the images.
        keep_aspect_ratio: whether images are shrunk to fit into it.

    Raises:
        ValueError: it is unknown, a center crop has no size, or photos would be cropped that are
            to be kept whole.
    """
    if image_fit not in get_args(ImageFit):
        raise ValueError(
            f"`image_fit` must be one of {', '.join(get_args(ImageFit))}. Received: {image_fit!r}."
        )
    if image_fit == "center_crop" and image_size is None:
        raise ValueError(
            "image_fit='center_crop' needs `image_size`, the size of the crop. Received: "
            "image_size=None."
        )
    if image_fit == "center_crop" and keep_aspect_ratio:
        raise ValueError(
            "`keep_aspect_ratio` keeps photos whole, image_fit='center_crop' their centers: choose "
            "one. Received: both."
        )


def refuse_without_boxes(image_fit: ImageFit, has_boxes: bool, source: str) -> None:
    """Refuses to cut out bounding boxes where there are none.

    Args:
        image_fit: how images become images of one size.
        has_boxes: whether there are boxes.
        source: where images come from, for the message.

    Raises:
        ValueError: there are none.
    """
    if image_fit == "bounding_box" and not has_boxes:
        raise ValueError(
            "image_fit='bounding_box' needs images with bounding boxes: TensorFlow Datasets' "
            "cars196 and caltech_birds2011, or the official archive of FGVC-Aircraft. Received: "
            f"{source}, which has none."
        )


def enlarged(image_size: tuple[int, int]) -> tuple[int, int]:
    """Returns the smallest size of an image that a center crop is cut out of.

    Args:
        image_size: height and width of the crop.
    """
    return int(_MARGIN * image_size[0]), int(_MARGIN * image_size[1])


def center_crop(image: Image.Image, image_size: tuple[int, int]) -> Image.Image:
    """Resizes an image, its aspect ratio kept, to 1.5 times a size, and cuts out the center.

    The shorter side becomes 1.5 times that of a square, as with torchvision's `Resize` and
    `CenterCrop`; the filter is the antialiased Lanczos filter of all images.

    Args:
        image: of any size.
        image_size: height and width of the crop.

    Returns:
        An image of that size.
    """
    height, width = enlarged(image_size)
    if image.height * width <= image.width * height:
        width = height * image.width // image.height
    else:
        height = width * image.height // image.width
    top, left = round((height - image_size[0]) / 2), round((width - image_size[1]) / 2)
    resized = image.resize((width, height), Image.Resampling.LANCZOS)
    return resized.crop((left, top, left + image_size[1], top + image_size[0]))
