import numpy as np

from tests.helpers.tasks import images, task
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import RotateClasses

KEYS = [fold(key(0), number) for number in range(60)]


def turns(old, new):
    """By how many right angles each image was turned."""
    return [
        next(k for k in range(4) if np.array_equal(np.rot90(before, k), after))
        for before, after in zip(old.numpy(), new.numpy())
    ]


def test_classes_are_turned_as_wholes():
    counts, before = np.zeros(4), task(images())
    for draw_key in KEYS:
        after = RotateClasses()(before, draw_key)
        by_class = {}
        for x, y in (("support_x", "support_y"), ("query_x", "query_y")):
            found = turns(getattr(before, x), getattr(after, x))
            for label, turn in zip(getattr(before, y).numpy(), found):
                assert by_class.setdefault(label, turn) == turn
        counts += np.bincount(list(by_class.values()), minlength=4)
        np.testing.assert_array_equal(after.query_y, before.query_y)
    np.testing.assert_allclose(counts / counts.sum(), [1 / 2, 1 / 6, 1 / 6, 1 / 6], atol=0.08)
