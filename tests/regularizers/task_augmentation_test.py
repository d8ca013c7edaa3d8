import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import images, task
from tfmgaug.losses import Mixed
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import OnQuery, OnSupport, RandomErase
from tfmgaug.regularizers.maxup import default_pool

KEY = fold(key(0), 0)


@pytest.mark.parametrize("number", range(6))
def test_tasks_keep_their_shapes_and_types(number):
    chain, before = default_pool()[number], task(images())
    after = before
    for one in chain if isinstance(chain, list) else [chain]:
        after = one(after, KEY)
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
    after = kind(augment)(before, KEY)
    for name in ("support_x", "query_x"):
        same = np.array_equal(getattr(after, name), getattr(before, name))
        assert same == (name != part)
    np.testing.assert_array_equal(getattr(after, part), augment(getattr(before, part), KEY))


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
