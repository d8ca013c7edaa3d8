"""Images by class, named data sets, and the episodes drawn from them."""

from tfmgaug.data.catalog import load
from tfmgaug.data.duplicates import Duplicates, count_duplicates
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.data.image_classes import ImageClasses, Splits
from tfmgaug.data.labeled import LabeledSampler
from tfmgaug.data.padded_crop import PaddedCrop
from tfmgaug.data.published import class_lists
from tfmgaug.data.rotated_classes import RotatedClasses
from tfmgaug.data.sinusoids import SinusoidSampler
from tfmgaug.data.sources import from_arrays, from_folder, from_tfds
from tfmgaug.data.splitting import split_classes
from tfmgaug.data.transforms import Augment, CenterCrop, ImageTransform

__all__ = [
    "Augment",
    "CenterCrop",
    "Duplicates",
    "EpisodeSampler",
    "ImageClasses",
    "ImageTransform",
    "LabeledSampler",
    "PaddedCrop",
    "RotatedClasses",
    "SinusoidSampler",
    "Splits",
    "class_lists",
    "count_duplicates",
    "from_arrays",
    "from_folder",
    "from_tfds",
    "load",
    "split_classes",
]
