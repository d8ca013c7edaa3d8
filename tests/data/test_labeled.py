import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.toys import toy_classes
from tfmgaug.data import Augment, LabeledSampler


def taken(sampler, start=0, images=None, batches=None):
    pairs = list(sampler.dataset(start, images).take(-1 if batches is None else batches))
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


def rows_of(images, classes):
    flat = classes.images.reshape(len(classes.images), -1)
    return [int(np.flatnonzero((flat == image.ravel()).all(1))[0]) for image in images]


def test_all_images_come_before_any_comes_again_and_then_in_another_order():
    classes = toy_classes(classes=5, images=6)
    images, labels = taken(LabeledSampler(classes, batch=10), images=60)
    rows = rows_of(images, classes)
    assert sorted(rows[:30]) == sorted(rows[30:]) == list(range(30))
    assert rows[:30] != rows[30:]
    assert rows[:30] != list(range(30))
    np.testing.assert_array_equal(labels, np.array(rows) // 6)


def test_images_stand_where_given_draws_put_them():
    class Given(LabeledSampler):
        def draw(self, place):
            return tf.gather(tf.constant(rows, tf.int64), place)

    classes, rows = toy_classes(classes=3, images=5), [7, 0, 7, 14, 3, 11]
    images, labels = taken(Given(classes, batch=4), images=6)
    np.testing.assert_array_equal(images, classes.images[rows])
    np.testing.assert_array_equal(labels, np.array(rows) // 5)


def test_what_stands_at_a_place_depends_on_nothing_else():
    classes = toy_classes(classes=3, images=5)
    whole = taken(LabeledSampler(classes, batch=4, seed=3), images=36)
    for batch, start in ((4, 12), (6, 20)):
        x, y = taken(LabeledSampler(classes, batch=batch, seed=3), start, images=12)
        np.testing.assert_array_equal(x, whole[0][start : start + 12])
        np.testing.assert_array_equal(y, whole[1][start : start + 12])
    other = taken(LabeledSampler(classes, batch=4, seed=4), images=36)
    assert (other[1] != whole[1]).any()


def test_batches_have_known_shapes_and_images_can_be_augmented():
    sampler = LabeledSampler(toy_classes(size=16), batch=4, transform=Augment())
    spec, labels = sampler.dataset().element_spec
    assert spec.shape == (4, *sampler.image_shape) == (4, 16, 16, 1)
    assert labels.shape == (4,)
    plain, _ = taken(LabeledSampler(toy_classes(size=16), batch=4), batches=1)
    changed, _ = taken(sampler, batches=1)
    assert changed.dtype == np.uint8
    assert (changed != plain).any()


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`batch` must be at least 1"):
        LabeledSampler(toy_classes(), batch=0)
    with pytest.raises(TypeError, match="must be an ImageTransform"):
        LabeledSampler(toy_classes(), transform=lambda images, seed: images)
