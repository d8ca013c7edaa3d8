"""The data sets that --datasets names."""

from typing import NamedTuple

from launch import registry
from launch.data_flags import IMAGES, of_loader


class Dataset(NamedTuple):
    """A data set of --datasets.

    Attributes:
        name: as of --data.
        folder: its folder; None: that of --data_dir.
    """

    name: str
    folder: str | None

    def __str__(self):
        return self.name if self.folder is None else f"{self.name}:{self.folder}"


def parse(texts):
    """Reads --datasets.

    Args:
        texts: list of names of data sets, each with a colon and its folder where --data_dir is not
            it: `cifar_fs`, `folder:/path/to/photos`.

    Returns:
        A list of `Dataset`.

    Raises:
        ValueError: a data set is unknown or named twice, or has no files to be in a folder.
    """
    datasets = []
    for text in texts:
        name, _, folder = text.partition(":")
        if name not in IMAGES:
            raise ValueError(
                f"--datasets must name some of {', '.join(IMAGES)}, each with its folder behind a "
                f"colon where --data_dir is not it, as folder:/path/to/photos. Received: {text!r}."
            )
        if folder and "data_dir" not in of_loader(registry.DATA.rows[name]):
            raise ValueError(f"{name} has no files. Received: --datasets={text}.")
        datasets.append(Dataset(name, folder or None))
    twice = sorted({str(dataset) for dataset in datasets if datasets.count(dataset) > 1})
    if twice:
        raise ValueError(f"--datasets must differ. Received more than once: {', '.join(twice)}.")
    return datasets
