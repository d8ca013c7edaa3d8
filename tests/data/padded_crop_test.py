import keras
import numpy as np
import pytest

from tfmgaug.data import EpisodeSampler, ImageClasses, PaddedCrop

IMAGES = np.random.default_rng(0).integers(1, 256, [6, 9, 12, 3]).astype(np.uint8)


def test_a_crop_is_a_window_of_the_padded_image():
    transform = PaddedCrop(padding=3, jitter=0, flip=False)
    draws = np.random.default_rng(1).uniform(size=[6, transform.draws]).astype(np.float32)
    found = np.asarray(transform.apply(IMAGES, draws))
    for image, draw, crop in zip(IMAGES, draws, found):
        padded = np.pad(image, [(3, 3), (3, 3), (0, 0)])
        top, left = int(draw[0] * 7), int(draw[1] * 7)
        np.testing.assert_array_equal(crop, padded[top : top + 9, left : left + 12])


def test_every_shift_is_drawn_and_equally_often():
    images = np.broadcast_to(IMAGES[:1], [4000, 9, 12, 3])
    found = np.asarray(PaddedCrop(padding=2, jitter=0, flip=False)(images, (0, 1)))
    places = np.argmax(np.pad(found, [(0, 0)] * 3 + [(0, 1)]).any(-1).any(2), axis=1)
    assert found.shape == images.shape
    assert set(places) <= {0, 1, 2}
    first_rows = (~found.any(axis=(2, 3))).sum(axis=1)  # rows of the border in view: 0, 1 or 2
    assert np.bincount(first_rows)[:3] == pytest.approx([800, 1600, 1600], rel=0.15)


def test_colors_and_flips_follow_the_crop():
    transform = PaddedCrop(padding=0)
    draws = np.full([6, transform.draws], 0.5, np.float32)  # factors of 1
    np.testing.assert_array_equal(transform.apply(IMAGES, draws), IMAGES)
    draws[:, -1] = 0.4
    np.testing.assert_array_equal(transform.apply(IMAGES, draws), IMAGES[:, :, ::-1])
    draws[:, 2] = 0.0  # 0.6 times as bright
    dark = np.asarray(transform.apply(IMAGES, draws)).astype(float)
    assert abs(dark - 0.6 * IMAGES[:, :, ::-1]).max() <= 0.5


def test_the_defaults_are_those_of_metaoptnet_and_come_back():
    transform = PaddedCrop()
    assert transform.get_config() == {"padding": 8, "jitter": 0.4, "flip": True}
    saved = keras.saving.serialize_keras_object(PaddedCrop(3, 0.1, False))
    assert keras.saving.deserialize_keras_object(saved).get_config()["padding"] == 3


def test_episodes_are_shifted_by_their_index_alone():
    classes = ImageClasses(IMAGES, [0, 3, 6], ("a", "b"))
    four, one = (EpisodeSampler(classes, 2, 1, 1, n, transform=PaddedCrop()) for n in (4, 1))
    inputs, _ = next(iter(four.dataset(episodes=4)))
    for task in range(4):
        np.testing.assert_array_equal(inputs["query_x"][task], one.episode(task).query_x)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"padding": -1}, ValueError), ({"padding": 1.5}, TypeError), ({"flip": 1}, TypeError)],
)
def test_nonsense_is_refused_by_name(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}` must be"):
        PaddedCrop(**arguments)
