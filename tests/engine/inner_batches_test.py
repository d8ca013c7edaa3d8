import numpy as np
import pytest

from tfmgaug.engine.inner_batches import batch_of
from tfmgaug.randomness import key


def stream(size, numbers, order=7, examples=6):
    x = np.arange(examples)
    return [np.asarray(batch_of(x, 10 * x, size, n, key(order))) for n in numbers]


@pytest.mark.parametrize("size", [1, 4, 6, 15])
def test_batches_go_through_the_shuffled_support_set_again_and_again(size):
    found = stream(size, range(12))
    assert all((y == 10 * x).all() and len(x) == size for x, y in found)
    rounds = np.concatenate([x for x, _ in found])[: 12 * size // 6 * 6].reshape(-1, 6)
    assert (np.sort(rounds) == np.arange(6)).all()
    assert len({tuple(one) for one in rounds}) > len(rounds) / 2


def test_a_batch_depends_on_its_number_and_key_alone():
    np.testing.assert_array_equal(stream(4, [5])[0], stream(4, range(6))[5])
    assert any((a != b).any() for a, b in zip(stream(4, range(3)), stream(4, range(3), order=8)))
