"""Images by class, named data sets, and the episodes drawn from them."""

from tfmgaug.data.catalog import class_lists, load
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.data.image_classes import ImageClasses, Splits
from tfmgaug.data.sinusoids import SinusoidSampler
from tfmgaug.data.sources import from_arrays, from_folder, from_tfds
from tfmgaug.data.splitting import split_classes
from tfmgaug.data.transforms import Augment

__all__ = [
    "Augment",
    "EpisodeSampler",
    "ImageClasses",
    "SinusoidSampler",
    "Splits",
    "class_lists",
    "from_arrays",
    "from_folder",
    "from_tfds",
    "load",
    "split_classes",
]
