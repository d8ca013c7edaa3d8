import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.rectangles import is_rectangle, random_images
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import RandomErase


def erased(probability=1.0, area=(0.1, 0.3), ratio=(0.5, 2.0), number=200):
    old = random_images(number, 32, 32)
    return old, RandomErase(probability, area, ratio)(tf.constant(old), fold(key(0), 0)).numpy()


def test_a_rectangle_is_painted_over_with_the_mean_color():
    old, new = erased()
    inside = (old != new).any(3)
    assert all(is_rectangle(image) for image in inside)
    color = old.reshape(-1, 3).mean(0).astype("uint8")
    assert (new[inside] == color).all()
    assert new.dtype == np.uint8


def test_rectangles_have_the_areas_and_shapes_asked_for():
    old, new = erased()
    inside = (old != new).any(3)
    areas = inside.mean((1, 2))
    assert 0.09 < areas.min() < 0.13
    assert 0.27 < areas.max() < 0.32
    np.testing.assert_allclose(areas.mean(), 0.2, atol=0.02)
    ratios = inside.any(1).sum(1) / inside.any(2).sum(1)
    assert 0.4 < ratios.min() < 0.6
    assert 1.7 < ratios.max() < 2.4
    np.testing.assert_allclose(np.log(ratios).mean(), 0, atol=0.1)


def test_rectangles_may_lie_anywhere():
    old, new = erased(area=(0.02, 0.02), ratio=(1.0, 1.0), number=400)
    inside = (old != new).any(3)
    for axis in (1, 2):
        starts = inside.any(axis).argmax(1)
        assert set(starts) == set(range(28))  # five pixels of 32
        np.testing.assert_allclose(starts.mean(), 13.5, atol=1.5)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_as_many_images_are_erased_as_asked_for(probability, share):
    old, new = erased(probability)
    np.testing.assert_allclose((old != new).any((1, 2, 3)).mean(), share, atol=0.1)


def test_rectangles_longer_than_the_image_are_cut():
    old, new = erased(area=(1.0, 1.0), ratio=(9.0, 9.0), number=3)
    inside = (old != new).any(3)
    assert inside.any(1).all()
    assert (inside.any(2).sum(1) <= 12).all()


@pytest.mark.parametrize(
    "arguments", [{"probability": 1.5}, {"area": (0.0, 0.5)}, {"aspect_ratio": (2.0, 1.0)}]
)
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        RandomErase(**arguments)
