import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import images, task
from tfmgaug.losses import Mixed
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import CutMix, OnQuery, OnSupport, RandomErase, RotateClasses
from tfmgaug.regularizers.maxup import default_pool

KEYS = [fold(key(0), number) for number in range(60)]


def random_images(number=4, height=12, width=16):
    draws = np.random.default_rng(0)
    return draws.integers(1, 255, [number, height, width, 3]).astype("uint8")


# CutMix.


def mixed(key, concentration=2.0):
    before = task(images())._replace(query_x=tf.constant(random_images(6)))
    return before, CutMix(concentration)(before, key)


def rectangle(inside):
    rows, columns = inside.any(1), inside.any(0)
    return np.array_equal(inside, rows[:, None] & columns[None])


def test_cutmix_pastes_one_rectangle_from_another_query():
    for one_key in KEYS[:10]:
        before, after = mixed(one_key)
        old, new = before.query_x.numpy(), after.query_x.numpy()
        inside = (old != new).any((0, 3))
        assert rectangle(inside)
        if inside.any():
            pasted = [[np.array_equal(x[inside], y[inside]) for y in old] for x in new]
            partners = np.argmax(pasted, 1)
            assert sorted(partners) == list(range(6))
            np.testing.assert_array_equal(after.query_y.second, before.query_y.numpy()[partners])
        np.testing.assert_allclose(after.query_y.share, 1 - inside.mean(), rtol=1e-6)
        np.testing.assert_array_equal(after.query_y.first, before.query_y)
        np.testing.assert_array_equal(after.support_x, before.support_x)


def test_cutmix_has_the_area_of_its_distribution_but_for_the_border():
    shares = np.array([float(mixed(one_key)[1].query_y.share) for one_key in KEYS])
    # A rectangle of half the area, centered anywhere, loses part of it beyond the border.
    assert 0.6 < shares.mean() < 0.8
    assert shares.min() < 0.4
    assert shares.max() > 0.9
    assert all(float(mixed(one_key, 1e-30)[1].query_y.share) <= 1 for one_key in KEYS[:3])


# Erasing.


def erased(probability=1.0, area=(0.1, 0.3), ratio=(0.5, 2.0), number=200):
    old = random_images(number, 32, 32)
    return old, RandomErase(probability, area, ratio)(tf.constant(old), KEYS[0]).numpy()


def test_a_rectangle_is_painted_over_with_the_mean_color():
    old, new = erased()
    inside = (old != new).any(3)
    assert all(rectangle(one) for one in inside)
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
    with pytest.raises(ValueError, match="`concentration` must be positive"):
        CutMix(0.0)


# Turning.


def turns(old, new):
    """By how many right angles each image was turned."""
    return [
        next(k for k in range(4) if np.array_equal(np.rot90(before, k), after))
        for before, after in zip(old.numpy(), new.numpy())
    ]


def test_classes_are_turned_as_wholes():
    counts, before = np.zeros(4), task(images())
    for one_key in KEYS:
        after = RotateClasses()(before, one_key)
        by_class = {}
        for x, y in (("support_x", "support_y"), ("query_x", "query_y")):
            found = turns(getattr(before, x), getattr(after, x))
            for label, turn in zip(getattr(before, y).numpy(), found):
                assert by_class.setdefault(label, turn) == turn
        counts += np.bincount(list(by_class.values()), minlength=4)
        np.testing.assert_array_equal(after.query_y, before.query_y)
    np.testing.assert_allclose(counts / counts.sum(), [1 / 2, 1 / 6, 1 / 6, 1 / 6], atol=0.08)


# All.


@pytest.mark.parametrize("number", range(6))
def test_tasks_keep_their_shapes_and_types(number):
    chain, before = default_pool()[number], task(images())
    after = before
    for one in chain if isinstance(chain, list) else [chain]:
        after = one(after, KEYS[0])
    for name in ("support_x", "support_y", "query_x", "index"):
        old, new = getattr(before, name), getattr(after, name)
        assert new.dtype == old.dtype
        assert tf.convert_to_tensor(new).shape == old.shape
    if isinstance(after.query_y, Mixed):
        after = after._replace(query_y=after.query_y.second)
    assert after.query_y.dtype == before.query_y.dtype
    assert sorted(after.query_y.numpy()) == sorted(before.query_y.numpy())


@pytest.mark.parametrize(("kind", "part"), [(OnQuery, "query_x"), (OnSupport, "support_x")])
def test_an_augmentation_of_images_changes_its_part(kind, part):
    before, augment = task(images()), RandomErase(1.0)
    after = kind(augment)(before, KEYS[0])
    for name in ("support_x", "query_x"):
        same = np.array_equal(getattr(after, name), getattr(before, name))
        assert same == (name != part)
    np.testing.assert_array_equal(getattr(after, part), augment(getattr(before, part), KEYS[0]))


@pytest.mark.parametrize("augment", ["flip", lambda images, key: images])
def test_what_cannot_be_called_or_saved_is_refused(augment):
    with pytest.raises(TypeError, match="`augment` must be a function"):
        OnQuery(augment)


def test_augmentations_are_saved():
    pool = [*default_pool(), OnQuery(RandomErase(0.3, (0.1, 0.2), (1.0, 2.0)))]
    saved = keras.saving.serialize_keras_object(pool)
    loaded = keras.saving.deserialize_keras_object(saved)
    assert keras.saving.serialize_keras_object(loaded) == saved
    assert loaded[-1].augment.area == [0.1, 0.2]
