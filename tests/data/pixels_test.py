import warnings

import keras
import numpy as np
import pytest

from tfmgaug.data import ImageClasses, from_arrays
from tfmgaug.data.pixels import check_pixels
from tfmgaug.layers import Standardization
from tfmgaug.learners import FOMAML

DRAWS = np.random.default_rng(0)
SHAPE = [6, 16, 16, 3]


def drawings(shape=(6, 16, 16, 1)):
    return (DRAWS.uniform(size=shape) < 0.1).astype(np.uint8)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (DRAWS.uniform(size=SHAPE), "from .* to .*, where images are in 0-255. Multiply.* 255"),
        (DRAWS.uniform(size=SHAPE).astype("float32") / 2, "Multiply them by 255"),
        (DRAWS.normal(size=SHAPE), "Undo what standardized them"),
        ((DRAWS.uniform(size=SHAPE) < 0.001).astype(np.uint8), "from 0 to 1"),
        (drawings(SHAPE), "from 0 to 1"),
    ],
)
def test_pixels_on_another_scale_are_warned_of(images, message):
    with pytest.warns(UserWarning, match=f"of `support_x` are .*{message}|{message}"):
        check_pixels(images, "support_x")


@pytest.mark.parametrize(
    "images",
    [
        255 * DRAWS.uniform(size=SHAPE),
        DRAWS.integers(0, 256, SHAPE, np.uint8),
        drawings(),
        np.zeros(SHAPE),
        np.zeros([0, 4, 4, 1]),
    ],
)
def test_images_drawings_and_black_pass(images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_pixels(images)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_and_counted(value):
    images = 255 * DRAWS.uniform(size=SHAPE)
    images[2, 3, 4], images[5, 0, 0, 0] = value, value
    with pytest.raises(ValueError, match="`query_x` must be finite.*: 4 that .*in example 2"):
        check_pixels(images, "query_x")


def test_arrays_on_another_scale_are_warned_of_where_they_enter():
    wrong = (DRAWS.uniform(size=SHAPE) < 0.5).astype(np.uint8)
    with pytest.warns(UserWarning, match="from 0 to 1, where images are in 0-255"):
        from_arrays([wrong, wrong[::-1]])
    with pytest.warns(UserWarning, match="Multiply them by 255"):
        ImageClasses(wrong, [0, 3, 6], ["a", "b"])
    with pytest.raises(ValueError, match=r"float64. Convert pixels in 0-1 by `\(255 \* images\)"):
        ImageClasses(wrong / 2, [0, 3, 6], ["a", "b"])


@pytest.fixture(scope="module")
def learner():
    layers = [
        *(keras.Input([16, 16, 3]), Standardization((16, 16, 3)), keras.layers.Flatten()),
        keras.layers.Dense(2),
    ]
    return FOMAML(keras.Sequential(layers), inner_steps=1)


def test_adapting_and_predicting_look_at_their_pixels(learner):
    labels, raw = np.array([0, 1]), 255 * DRAWS.uniform(size=[2, 16, 16, 3])
    broken = np.where(raw > 250, np.nan, raw)
    with pytest.raises(ValueError, match="`support_x` must be finite"):
        learner.adapt(broken, labels)
    with pytest.warns(UserWarning, match="`support_x` are from"):
        learner.adapt(raw / 255, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapted = learner.adapt(raw, labels)
        adapted.predict(raw.astype(np.uint8))
    with pytest.raises(ValueError, match="`query_x` must be finite"):
        adapted.predict(broken)
    with pytest.warns(UserWarning, match="`query_x` are from"):
        adapted.predict(raw / 255)


def test_networks_that_take_other_numbers_than_raw_pixels_are_not_warned_of():
    layers = [keras.Input([4, 4, 3]), keras.layers.Flatten(), keras.layers.Dense(2)]
    other = FOMAML(keras.Sequential(layers), inner_steps=1)
    small, labels = DRAWS.uniform(size=[2, 4, 4, 3]), np.array([0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other.adapt(small, labels)
    with pytest.raises(ValueError, match="`support_x` must be finite"):
        other.adapt(np.where(small > 0.9, np.nan, small), labels)
