import types

import numpy as np
import pytest
from PIL import Image

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
    """Makes flags: a small folder unless changed."""

    def make(**changes):
        defaults = {
            "data": "folder",
            "data_dir": str(pictures),
            "cache_dir": str(tmp_path / "cache"),
            "image_size": None,
            "download": False,
            "skip_unreadable": False,
            "skip_small_classes": False,
            "fractions": None,
            "groups": None,
            "split": "vinyals",
            "rotations": False,
            "learner": "fomaml",
            "way": 2,
            "shot": 1,
            "query": 2,
            "seed": 0,
            "data_seed": 0,
            "tasks": 4,
            "train_way": None,
            "train_shot": None,
            "gap_episodes": None,
            "train_query": 2,
            "mutually_exclusive": True,
            "augment_images": False,
            "test_classes": "test",
            "test_mutually_exclusive": True,
            "test_crop": False,
            "train_classes": None,
            "train_resolutions": None,
            "resolutions": None,
            "task_augmentation": "none",
            "rotation_probability": None,
            "rotation_ramp": None,
        }
        return types.SimpleNamespace(**{**defaults, **changes})

    return make
