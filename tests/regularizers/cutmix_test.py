import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.rectangles import is_rectangle, random_images
from tests.helpers.tasks import images, task
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import CutMix

KEYS = [fold(key(0), number) for number in range(60)]


def mixed(key, concentration=2.0):
    before = task(images())._replace(query_x=tf.constant(random_images(6)))
    return before, CutMix(concentration)(before, key)


def test_cutmix_pastes_one_rectangle_from_another_query():
    for draw_key in KEYS[:10]:
        before, after = mixed(draw_key)
        old, new = before.query_x.numpy(), after.query_x.numpy()
        inside = (old != new).any((0, 3))
        assert is_rectangle(inside)
        if inside.any():
            pasted = [[np.array_equal(x[inside], y[inside]) for y in old] for x in new]
            partners = np.argmax(pasted, 1)
            assert sorted(partners) == list(range(6))
            np.testing.assert_array_equal(after.query_y.second, before.query_y.numpy()[partners])
        np.testing.assert_allclose(after.query_y.share, 1 - inside.mean(), rtol=1e-6)
        np.testing.assert_array_equal(after.query_y.first, before.query_y)
        np.testing.assert_array_equal(after.support_x, before.support_x)


def test_cutmix_has_the_area_of_its_distribution_but_for_the_border():
    shares = np.array([float(mixed(draw_key)[1].query_y.share) for draw_key in KEYS])
    # A rectangle of half the area, centered anywhere, loses part of it beyond the border.
    assert 0.6 < shares.mean() < 0.8
    assert shares.min() < 0.4
    assert shares.max() > 0.9
    assert all(float(mixed(draw_key, 1e-30)[1].query_y.share) <= 1 for draw_key in KEYS[:3])


def test_a_concentration_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="`concentration` must be positive"):
        CutMix(0.0)
