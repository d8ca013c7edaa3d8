import numpy as np
import pytest
import scipy.stats

from tfmgaug.data.transforms import Augment

COLOR = np.random.default_rng(0).integers(0, 256, [6, 9, 12, 3]).astype(np.uint8)
SLOPES = np.broadcast_to(np.arange(101, dtype=np.uint8)[:, None, None], [400, 101, 101, 1])


def augment(images, seed=(0, 1), **arguments):
    return np.asarray(Augment(**arguments)(images, seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_seed_determines_the_result(channels):
    images = COLOR[..., :channels]
    first = augment(images)
    assert first.shape == images.shape
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, augment(images))
    assert (first != augment(images, seed=(0, 2))).any(axis=(1, 2, 3)).all()


def test_every_image_has_draws_of_its_own():
    same = np.repeat(COLOR[:1], 6, axis=0)
    assert len(np.unique(augment(same), axis=0)) == 6


def test_nothing_switched_on_changes_nothing():
    np.testing.assert_array_equal(augment(COLOR, crop_scale=None, jitter=0, flip=False), COLOR)
    whole = augment(COLOR, crop_scale=(1, 1), aspect_ratio=(1, 1), jitter=0.0, flip=False)
    np.testing.assert_array_equal(whole, COLOR)


def test_a_flip_mirrors_half_of_the_images():
    images = np.repeat(COLOR, 50, axis=0)
    flipped = augment(images, crop_scale=None, jitter=0)
    mirrored = (flipped == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert ((flipped == images).all(axis=(1, 2, 3)) ^ mirrored).all()
    assert scipy.stats.binomtest(int(mirrored.sum()), 300).pvalue > 0.01


def test_a_crop_covers_the_share_of_the_area_that_was_drawn():
    down = augment(SLOPES, jitter=0, flip=False).astype(float)
    across = augment(SLOPES.swapaxes(1, 2), jitter=0, flip=False).astype(float)
    height = (down[:, -1] - down[:, 0]).mean(axis=(1, 2)) / 100
    width = (across[:, :, -1] - across[:, :, 0]).mean(axis=(1, 2)) / 100
    assert (height * width).min() > 0.08 - 0.02
    assert scipy.stats.kstest(height * width, "uniform", (0.08, 0.92)).statistic < 0.15
    ratio = width / height
    assert ratio.min() > 3 / 4 - 0.05
    assert ratio.max() < 4 / 3 + 0.05
    assert down.max() <= 100  # no black or extrapolated border
    assert across[:, 0].min() >= 0


def test_a_narrow_crop_range_is_kept():
    down = augment(SLOPES, crop_scale=(0.25, 0.25), aspect_ratio=(1, 1), jitter=0, flip=False)
    height = down[:, -1, 0, 0].astype(float) - down[:, 0, 0, 0]
    np.testing.assert_allclose(height, 50, atol=1.01)
    assert down[:, 0, 0, 0].min() < 5
    assert down[:, 0, 0, 0].max() > 45


def test_jitter_on_constant_gray_images_is_brightness_alone():
    images = np.full([2000, 1, 1, 1], 100, np.uint8)
    jittered = augment(images, crop_scale=None, flip=False).ravel() / 100
    assert scipy.stats.kstest(jittered, "uniform", (0.6, 0.8)).statistic < 0.04


def test_jitter_of_contrast_stretches_around_the_mean():
    images = np.array([[[[80], [120]]]], np.uint8).repeat(500, axis=0)
    jittered = augment(images, crop_scale=None, flip=False).astype(float)
    mean = jittered.mean(axis=(1, 2, 3)) / 100
    contrast = (jittered[:, 0, 1, 0] - jittered[:, 0, 0, 0]) / 40 / mean
    assert 0.55 < contrast.min() < 0.65
    assert 1.35 < contrast.max() < 1.45
    assert abs(np.corrcoef(contrast, mean)[0, 1]) < 0.15


def test_jitter_of_saturation_stretches_around_the_gray():
    weights = np.array([0.299, 0.587, 0.114])
    color = np.array([80, 100, 130])
    images = color.astype(np.uint8).reshape(1, 1, 1, 3).repeat(500, axis=0)
    jittered = augment(images, crop_scale=None, flip=False)[:, 0, 0].astype(float)
    brightness = jittered @ weights / (color @ weights)
    chroma = (jittered[:, 2] - jittered[:, 0]) / 50 / brightness  # contrast times saturation
    assert 0.6 - 0.05 < brightness.min() < brightness.max() < 1.4 + 0.05
    assert 0.36 - 0.05 < chroma.min() < 0.45
    assert 1.75 < chroma.max() < 1.96 + 0.05


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("crop_scale", (0.5, 1.5), ValueError),
        ("crop_scale", (0.0, 1.0), ValueError),
        ("crop_scale", 0.5, TypeError),
        ("jitter", 1.5, ValueError),
        ("jitter", "much", TypeError),
        ("flip", 1, TypeError),
        ("aspect_ratio", (2.0, 1.0), ValueError),
    ],
)
def test_nonsense_is_refused_by_name(name, value, error):
    with pytest.raises(error, match=f"`{name}`"):
        Augment(**{name: value})


@pytest.mark.parametrize("images", [COLOR[0], COLOR.astype(np.float32)])
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match="uint8"):
        Augment()(images, (0, 1))
