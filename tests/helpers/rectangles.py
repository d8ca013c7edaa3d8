"""Images of noise, and the rectangles that augmentations change in them."""

import numpy as np


def random_images(number=4, height=12, width=16):
    draws = np.random.default_rng(0)
    return draws.integers(1, 255, [number, height, width, 3]).astype("uint8")


def is_rectangle(inside):
    """Whether the pixels that are marked, `[height, width]`, are a rectangle or none."""
    rows, columns = inside.any(1), inside.any(0)
    return np.array_equal(inside, rows[:, None] & columns[None])
