"""The data sets that --datasets names."""

from typing import NamedTuple

from launch.data_flags import IMAGES


class Dataset(NamedTuple):
    """A data set of --datasets.

    Attributes:
        name: as of --data.
        folder: its own --data_dir, or None for that of the command line.
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
        ValueError: a data set is unknown, or named twice.
    """
    found = []
    for text in texts:
        name, _, folder = text.partition(":")
        if name not in IMAGES:
            raise ValueError(
                f"--datasets must name some of {', '.join(IMAGES)}, each with its folder behind a "
                f"colon where --data_dir is not it, as folder:/path/to/photos. Received: {text!r}."
            )
        found.append(Dataset(name, folder or None))
    twice = sorted({str(dataset) for dataset in found if found.count(dataset) > 1})
    if twice:
        raise ValueError(f"--datasets must differ. Received more than once: {', '.join(twice)}.")
    return found
