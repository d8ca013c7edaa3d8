import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfmgaug.data.sinusoids import Sinusoid, SinusoidSampler


def points(sampler, episodes=200, **arguments):
    """The inputs and targets `[episodes, shot + query]` of a sampler, in float64."""
    batches = list(sampler.dataset(episodes=episodes, **arguments))
    x = [np.concatenate([i["support_x"], i["query_x"]], axis=1) for i, _ in batches]
    y = [np.concatenate([i["support_y"], query_y], axis=1) for i, query_y in batches]
    return (np.concatenate(part)[..., 0].astype(np.float64) for part in (x, y))


def amplitude_and_phase(x, y):
    """The least-squares a, c of y = a sin(x + c), and the largest error."""
    basis = np.stack([np.sin(x), np.cos(x)], axis=-1)
    sine, cosine = np.linalg.lstsq(basis, y, rcond=None)[0]
    error = np.abs(basis @ [sine, cosine] - y).max()
    return np.hypot(sine, cosine), np.arctan2(cosine, sine), error


def test_targets_are_sinusoids_of_the_ranges():
    fits = np.array([amplitude_and_phase(x, y) for x, y in zip(*points(SinusoidSampler()))])
    assert fits[:, 2].max() < 1e-5
    scaled = (fits[:, :2] - [0.1, 0.0]) / [2.9, np.pi / 2]
    assert scaled.min() > -1e-4
    assert scaled.max() < 1 + 1e-4
    assert scipy.stats.kstest(scaled[:, 0], "uniform").pvalue > 0.01
    assert scipy.stats.kstest(scaled[:, 1], "uniform").pvalue > 0.01


def test_test_ranges_are_disjoint_from_the_defaults():
    sampler = SinusoidSampler(**SinusoidSampler.TEST_RANGES)
    fits = np.array([amplitude_and_phase(x, y) for x, y in zip(*points(sampler))])
    assert fits[:, 0].min() > 3 - 1e-4
    assert fits[:, 0].max() < 5 + 1e-4
    assert fits[:, 1].min() > np.pi / 2 - 1e-4
    assert fits[:, 1].max() < np.pi + 1e-4


def test_constants_give_the_formula():
    x, y = points(SinusoidSampler(amplitude=2.0, phase=0.5, frequency=3.0, domain=(0, 1)))
    np.testing.assert_allclose(y, 2.0 * np.sin(3.0 * x + 0.5), atol=1e-6)
    assert x.min() >= 0
    assert x.max() < 1
    assert scipy.stats.kstest(x.ravel(), "uniform").pvalue > 0.01


def test_targets_are_those_of_given_sinusoids():
    draws = np.random.default_rng(0)
    curves, given_x = draws.uniform(1, 2, (3, 4)), draws.uniform(-5, 5, (4, 5, 1))
    noise = draws.normal(size=(4, 2, 1))

    class Given(SinusoidSampler):
        def draw(self, index):
            parts = [tf.constant(part, tf.float32)[index] for part in (*curves, given_x, noise)]
            return Sinusoid(*parts)

    x, y = points(Given(shot=2, query=3), episodes=4)
    amplitude, phase, frequency = curves[:, :, None]
    expected = amplitude * np.sin(frequency * given_x[..., 0] + phase)
    expected[:, :2] += noise[..., 0]
    np.testing.assert_allclose(x, given_x[..., 0], rtol=1e-6)
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_a_frequency_range_is_drawn_from():
    sampler = SinusoidSampler(amplitude=1.0, phase=0.0, frequency=(0.8, 1.2), domain=(0, 1))
    x, y = points(sampler)
    frequency = np.arcsin(y) / x  # 1.2 < pi / 2
    assert np.ptp(frequency, axis=1).max() < 1e-2
    assert 0.8 - 1e-2 < frequency.min() < 0.85
    assert 1.15 < frequency.max() < 1.2 + 1e-2


def test_noise_is_on_the_support_targets_alone():
    clean, noisy = SinusoidSampler(shot=50), SinusoidSampler(shot=50, noise=0.3)
    _, clean = points(clean)
    _, noisy = points(noisy)
    noise = (noisy - clean)[:, :50] / 0.3
    assert scipy.stats.kstest(noise.ravel(), "norm").pvalue > 0.01
    np.testing.assert_array_equal(noisy[:, 50:], clean[:, 50:])


def test_shapes_and_types_are_static():
    inputs, query_y = SinusoidSampler(shot=5, query=15, tasks=3).dataset().element_spec
    assert inputs["support_x"] == tf.TensorSpec([3, 5, 1], tf.float32)
    assert inputs["support_y"] == tf.TensorSpec([3, 5, 1], tf.float32)
    assert inputs["query_x"] == tf.TensorSpec([3, 15, 1], tf.float32)
    assert inputs["index"] == tf.TensorSpec([3], tf.int64)
    assert query_y == tf.TensorSpec([3, 15, 1], tf.float32)


def test_the_seed_and_the_index_determine_an_episode():
    x, y = points(SinusoidSampler(tasks=4, noise=0.1), 12)
    later_x, later_y = points(SinusoidSampler(tasks=1, noise=0.1), 7, start=5)
    np.testing.assert_array_equal(x[5:], later_x)
    np.testing.assert_array_equal(y[5:], later_y)
    other_x, _ = points(SinusoidSampler(tasks=4, seed=1), 12)
    assert not np.isin(other_x, x).any()
    episode = SinusoidSampler(noise=0.1).episode(5)
    np.testing.assert_array_equal(episode.support_x[:, 0], x[5, :5])
    np.testing.assert_array_equal(episode.query_y[:, 0], y[5, 5:])


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("shot", 0, ValueError),
        ("amplitude", (3.0, 1.0), ValueError),
        ("phase", (0.0, float("nan")), ValueError),
        ("frequency", (1.0, 2.0, 3.0), ValueError),
        ("domain", 2.0, ValueError),
        ("noise", -0.1, ValueError),
        ("noise", (0.1, 0.2), ValueError),
        ("amplitude", "high", TypeError),
        ("tasks", 2.0, TypeError),
    ],
)
def test_nonsense_is_refused_by_name(name, value, error):
    with pytest.raises(error, match=f"`{name}`"):
        SinusoidSampler(**{name: value})
