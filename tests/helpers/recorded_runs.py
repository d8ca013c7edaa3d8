"""The files of trained runs, written without training, for tests of analyses."""

import numpy as np
from PIL import Image

from launch.analyses import runs

DATA_FLAGS = {
    "data": "glyphs", "data_dir": None, "image_size": None, "split": "vinyals", "rotations": False,
    "download": True, "skip_unreadable": False, "cache_dir": None, "way": 5, "shot": 1, "query": 15,
    "data_seed": 0, "test_episodes": 600, "test_classes": "test", "test_mutually_exclusive": True,
    "test_crop": False, "train_classes": None, "skip_small_classes": False, "fractions": None,
    "groups": None, "image_fit": "squash",
}  # fmt: skip


def pictures(root):
    """Four training, three validation and four test classes of five images."""
    draws = np.random.default_rng(0)
    for split, classes in {"train": 4, "validation": 3, "test": 4}.items():
        for label in range(classes):
            folder = root / split / f"{split}{label}"
            folder.mkdir(parents=True)
            pattern = draws.uniform(0, 255, [8, 8, 3])
            for number in range(5):
                pixels = np.clip(pattern + draws.normal(0, 20, [8, 8, 3]), 0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return root


def open_run(path, **given):
    return runs.Run(path, None, given)
