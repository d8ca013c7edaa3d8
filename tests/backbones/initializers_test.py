import keras
import numpy as np
import pytest

from tfmgaug.backbones.initializers import (
    KaimingNormal,
    KaimingUniform,
    PositiveConstant,
    SignedConstant,
    WeightInitializer,
    fan_in,
)
from tfmgaug.randomness import key

KINDS = [KaimingNormal, KaimingUniform, PositiveConstant, SignedConstant]
CONV = (3, 3, 32, 64)  # each output sums up 3 * 3 * 32 = 288 inputs


def draw(kind, seed=0, shape=CONV, dtype="float32"):
    return kind()(shape, key(seed), dtype).numpy()


def test_an_output_sums_up_all_but_the_last_axis():
    assert fan_in(CONV) == 288
    assert fan_in((784, 256)) == 784


@pytest.mark.parametrize("kind", KINDS)
def test_squares_are_two_over_fan_in_on_average(kind):
    np.testing.assert_allclose(np.mean(draw(kind) ** 2), 2 / 288, rtol=0.03)


def test_kaiming_normal_is_normal():
    values = draw(KaimingNormal) / np.sqrt(2 / 288)
    shares = [np.mean(np.abs(values) < bound) for bound in (1, 2, 3)]
    np.testing.assert_allclose(shares, [0.6827, 0.9545, 0.9973], atol=0.01)
    assert abs(values.mean()) < 0.03


def test_kaiming_uniform_is_uniform():
    bound = np.sqrt(6 / 288)
    values = draw(KaimingUniform)
    assert np.abs(values).max() <= bound
    tenths = np.histogram(values, 10, (-bound, bound))[0] / values.size
    np.testing.assert_allclose(tenths, 0.1, atol=0.01)


def test_constants_differ_in_nothing_but_their_sign():
    constant = np.float32(np.sqrt(2 / 288))
    np.testing.assert_array_equal(draw(PositiveConstant), np.full(CONV, constant))
    signed = draw(SignedConstant)
    np.testing.assert_array_equal(np.abs(signed), np.full(CONV, constant))
    assert abs(np.mean(signed > 0) - 0.5) < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_alone_decides(kind):
    np.testing.assert_array_equal(draw(kind), draw(kind))
    assert (draw(kind) != draw(kind, seed=1)).any() == kind.random


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_through_a_configuration(kind):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(kind()))
    assert type(copy) is kind
    assert draw(kind, shape=(4, 2), dtype="float64").dtype == "float64"


def test_the_base_draws_nothing():
    with pytest.raises(NotImplementedError):
        WeightInitializer()((2, 2), key(0))
