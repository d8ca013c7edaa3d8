import numpy as np
import pytest
from PIL import Image

from tests.launch import experiments

CLASSES, IMAGES, SIDE = 15, 5, 23


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 15 classes, whose split has 10, 2 and 3; every image differs."""
    root = tmp_path_factory.mktemp("pictures")
    draws = np.random.default_rng(0)
    for c in range(CLASSES):
        (root / f"c{c:02d}").mkdir()
        for i in range(IMAGES):
            pixels = draws.integers(0, 256, [SIDE, SIDE, 3], np.uint8)
            Image.fromarray(pixels).save(root / f"c{c:02d}" / f"{i}.png")
    return root


@pytest.fixture
def options(pictures, tmp_path):
    """Makes experiments: a small folder unless changed."""

    def make(**changes):
        defaults = {
            "data": "folder",
            "data_dir": str(pictures),
            "cache_dir": str(tmp_path / "cache"),
            "download": False,
            "way": 2,
            "query": 2,
            "train_query": 2,
        }
        return experiments.make(**{**defaults, **changes})

    return make
