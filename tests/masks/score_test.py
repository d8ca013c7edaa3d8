import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import small_conv
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.engine.network import Network
from tfmgaug.masks import ScoreMask
from tfmgaug.masks.score import step
from tfmgaug.randomness import key


def attached(initial_sparsity=0.0, backbone=None, seed=0, **options):
    network = Network(backbone or mlp(3, (10,), hidden=(10, 7)))
    mask = ScoreMask(initial_sparsity, **options)
    mask.attach(network, network.model.layers[-1], key(seed))
    return mask, network.params


def arrays(variables):
    return {name: variable.numpy() for name, variable in variables.items()}


def pruned(mask):
    return [int(np.sum(1 - np.asarray(m))) for m in mask.masks().values()]


def test_scores_start_where_given_draws_put_them():
    draws = np.random.default_rng(1)
    start = {
        "dense1_kernel": draws.normal(size=(10, 10)),
        "dense2_kernel": draws.normal(size=(10, 7)),
    }

    class Given(ScoreMask):
        def draw(self, name, weight, key):
            return tf.constant(start[name], weight.dtype)

    mask, network = Given(0.3), Network(mlp(3, (10,), hidden=(10, 7), dtype="float64"))
    mask.attach(network, network.model.layers[-1], key(0))
    pruned_weights = mask(network.params)
    for name, scores in start.items():
        threshold = np.sort(scores, axis=None)[int(0.3 * scores.size) - 1]
        kept = network.params[name].numpy() * (scores >= threshold)
        np.testing.assert_array_equal(mask.thresholds[name], threshold)
        np.testing.assert_array_equal(pruned_weights[name], kept)


# The thresholds.


@pytest.mark.parametrize(
    ("sparsity", "smallest"), [(0.0, (1, 1)), (0.009, (1, 1)), (0.29, (29, 20)), (0.99, (99, 69))]
)
def test_a_threshold_is_one_of_the_smallest_initial_scores(sparsity, smallest):
    mask, _ = attached(sparsity)  # layers of 100 and 70 weights
    thresholds = arrays(mask.thresholds)
    for (name, score), number in zip(arrays(mask.scores).items(), smallest, strict=True):
        assert thresholds[name] == np.sort(score, axis=None)[number - 1]
    assert pruned(mask) == [number - 1 for number in smallest]


def test_masks_are_what_numpy_finds_at_any_scores():
    mask, _ = attached(0.5)
    initial, draws = arrays(mask.thresholds), np.random.default_rng(0)
    for score in mask.scores.values():
        score.assign(draws.normal(size=score.shape))
    masks = mask.masks()
    assert masks.keys() == mask.scores.keys()
    for name, score in arrays(mask.scores).items():
        np.testing.assert_array_equal(masks[name], np.where(score >= initial[name], 1, 0))
    assert arrays(mask.thresholds) == initial


def test_sparsity_drifts_where_the_threshold_is_fixed():
    mask, _ = attached(0.3)
    mask.scores["dense1_kernel"].assign_add(10 * np.ones((10, 10)))
    mask.update_thresholds()
    assert pruned(mask) == [0, 20]
    assert mask.shares_pruned() == {"dense1_kernel": 0, "dense2_kernel": 20 / 70}


def test_thresholds_follow_the_scores_where_sparsity_is_fixed():
    mask, _ = attached(0.3, sparsity="fixed")
    draws = np.random.default_rng(0)
    for _ in range(3):
        for score in mask.scores.values():
            score.assign(draws.normal(size=score.shape))
        mask.update_thresholds()
        assert pruned(mask) == [30, 21]
        kept = np.asarray(mask.masks()["dense1_kernel"]) == 1
        score = mask.scores["dense1_kernel"].numpy()
        assert score[kept].min() > score[~kept].max()


# What is pruned.


def test_weights_are_multiplied_by_their_masks():
    mask, weights = attached(0.4)
    masked, masks = mask(weights), mask.masks()
    assert masked.keys() == weights.keys()
    for name, weight in weights.items():
        expected = weight.numpy() * np.asarray(masks.get(name, 1))
        np.testing.assert_array_equal(masked[name], expected)


def test_only_kernels_before_the_classifier_are_pruned():
    backbone = small_conv(filters=8)
    mask, _ = attached(0.5, backbone)
    kernels = [f"conv{n}_kernel" for n in range(1, 5)]
    assert list(mask.masks()) == list(mask.scores) == kernels


def test_the_classifier_is_pruned_on_demand():
    mask, _ = attached(0.5, prune_classifier=True)
    assert [score.shape for score in mask.scores.values()] == [(10, 10), (10, 7), (7, 3)]


def test_the_precision_of_a_global_policy_changes_no_mask():
    expected = attached(0.5)[0].masks()
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mask, weights = attached(0.5)
        found = mask(weights)
    finally:
        keras.config.set_dtype_policy(policy)
    assert list(expected) == ["dense1_kernel", "dense2_kernel"]
    for name, kept in expected.items():
        assert found[name].dtype == tf.float32
        np.testing.assert_array_equal(found[name], weights[name] * kept)


# The gradient.


def test_the_gradient_is_straight_through_for_pruned_entries_too():
    mask, weights = attached(0.5)
    draws = np.random.default_rng(0)
    slopes = {n: draws.normal(size=s.shape).astype("float32") for n, s in mask.scores.items()}
    with tf.GradientTape() as tape:
        outputs = mask(weights)
        total = sum(tf.reduce_sum(slope * outputs[name]) for name, slope in slopes.items())
    gradients = tape.gradient(total, {name: v.value for name, v in mask.scores.items()})
    for name, slope in slopes.items():
        np.testing.assert_allclose(gradients[name], slope * weights[name].numpy(), rtol=1e-6)


def test_gradients_of_gradients_are_straight_through():
    draws = np.random.default_rng(0)
    score, weight = draws.normal(size=(2, 50))
    score, weight = tf.constant(score), tf.constant(weight)
    with tf.GradientTape() as outer:
        outer.watch(score)
        with tf.GradientTape() as inner:
            inner.watch(weight)
            loss = tf.reduce_sum((weight * step(score, tf.constant(0.1, "float64"))) ** 3)
        total = tf.reduce_sum(inner.gradient(loss, weight))
    # L = (wm)^3: dL/dw = 3 w^2 m^3, and d/dm of it is 9 w^2 m^2.
    m = score.numpy() >= 0.1
    np.testing.assert_allclose(outer.gradient(total, score), 9 * weight.numpy() ** 2 * m)


def test_the_threshold_has_no_gradient():
    score, threshold = tf.constant([0.5, 1.5]), tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(threshold)
        total = tf.reduce_sum(step(score, threshold))
    assert total == 1
    assert tape.gradient(total, threshold) == 0


# The scores.


def test_scores_start_kaiming_uniform():
    mask, _ = attached(backbone=mlp(3, (300,), hidden=(200, 50)))
    for score in arrays(mask.scores).values():
        bound = np.sqrt(6 / score.shape[0])
        assert 0.99 * bound < np.abs(score).max() <= bound
        np.testing.assert_allclose(score.std(), bound / np.sqrt(3), rtol=0.03)


def test_the_key_alone_decides_the_scores():
    same, again, other = (arrays(attached(seed=seed)[0].scores) for seed in (0, 0, 1))
    np.testing.assert_array_equal(same["dense1_kernel"], again["dense1_kernel"])
    assert (same["dense1_kernel"] != other["dense1_kernel"]).all()


def test_scores_can_be_made_from_masks():
    mask, _ = attached(0.3)
    wanted = {
        name: np.random.default_rng(number).random(score.shape) < 0.8
        for number, (name, score) in enumerate(mask.scores.items())
    }
    mask.set_masks(wanted)
    for name, expected in wanted.items():
        np.testing.assert_array_equal(mask.masks()[name], expected)


# What is refused.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial_sparsity": -0.1}, "`initial_sparsity` must be at least 0"),
        ({"initial_sparsity": 1.0}, "`initial_sparsity` must be at least 0 and below 1"),
        ({"sparsity": "constant"}, "`sparsity` must be one of"),
        ({"sparsity": "fixed"}, "never prunes"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ScoreMask(**options)


def test_a_mask_serves_one_learner():
    mask, _ = attached()
    with pytest.raises(ValueError, match="serves one learner"):
        mask.attach(Network(small_conv()), None, key(0))


def test_mgaug_draws_no_score_masks():
    with pytest.raises(TypeError, match="`mask` must be a tfmgaug.masks.Mask"):
        MGAug(ScoreMask())


def test_it_goes_through_a_configuration():
    mask = ScoreMask(0.3, "fixed", prune_classifier=True, name="ticket")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(mask))
    assert copy.get_config() == mask.get_config()
