import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import small_conv
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.masks import ScoreMask
from tfmgaug.masks.score import step
from tfmgaug.randomness import key


def attached(initial_sparsity=0.0, backbone=None, seed=0, **options):
    backbone = backbone or mlp(3, (10,), hidden=(10, 7))
    mask = ScoreMask(initial_sparsity, **options)
    mask.attach(backbone, backbone.layers[-1], key(seed))
    return mask, [tf.convert_to_tensor(v) for v in backbone.trainable_variables]


def arrays(variables):
    return [variable.numpy() for variable in variables]


def pruned(mask):
    return [int(np.sum(1 - np.asarray(m))) for m in mask.masks() if m is not None]


# The thresholds.


@pytest.mark.parametrize(
    ("sparsity", "smallest"), [(0.0, (1, 1)), (0.009, (1, 1)), (0.29, (29, 20)), (0.99, (99, 69))]
)
def test_a_threshold_is_one_of_the_smallest_initial_scores(sparsity, smallest):
    mask, _ = attached(sparsity)  # layers of 100 and 70 weights
    for score, threshold, number in zip(arrays(mask.scores), arrays(mask.thresholds), smallest):
        assert threshold == np.sort(score, axis=None)[number - 1]
    assert pruned(mask) == [number - 1 for number in smallest]


def test_masks_are_what_numpy_finds_at_any_scores():
    mask, _ = attached(0.5)
    initial, draws = arrays(mask.thresholds), np.random.default_rng(0)
    for score in mask.scores:
        score.assign(draws.normal(size=score.shape))
    found = [m for m in mask.masks() if m is not None]
    for one, score, threshold in zip(found, arrays(mask.scores), initial):
        np.testing.assert_array_equal(one, np.where(score >= threshold, 1, 0))
    assert arrays(mask.thresholds) == initial


def test_sparsity_drifts_where_the_threshold_is_fixed():
    mask, _ = attached(0.3)
    mask.scores[0].assign_add(10 * np.ones((10, 10)))
    mask.update_thresholds()
    assert pruned(mask) == [0, 20]
    assert mask.shares_pruned() == [0, 20 / 70]


def test_thresholds_follow_the_scores_where_sparsity_is_fixed():
    mask, _ = attached(0.3, sparsity="fixed")
    draws = np.random.default_rng(0)
    for _ in range(3):
        for score in mask.scores:
            score.assign(draws.normal(size=score.shape))
        mask.update_thresholds()
        assert pruned(mask) == [30, 21]
        kept = np.asarray(mask.masks()[0]) == 1
        score = mask.scores[0].numpy()
        assert score[kept].min() > score[~kept].max()


# What is pruned.


def test_weights_are_multiplied_by_their_masks():
    mask, weights = attached(0.4)
    for weight, one, found in zip(weights, mask.masks(), mask(weights)):
        expected = weight.numpy() if one is None else weight.numpy() * np.asarray(one)
        np.testing.assert_array_equal(found, expected)


def test_only_kernels_before_the_classifier_are_pruned():
    backbone = small_conv(filters=8)
    mask, _ = attached(0.5, backbone)
    paths = [variable.path for variable in backbone.trainable_variables]
    assert [paths[place] for place in mask.places] == [f"conv{n}/kernel" for n in range(1, 5)]
    assert [m is not None for m in mask.masks()] == [
        path.endswith("kernel") for path in paths[:-2]
    ] + [
        False,
        False,
    ]


def test_the_classifier_is_pruned_on_demand():
    mask, _ = attached(0.5, prune_classifier=True)
    assert [score.shape for score in mask.scores] == [(10, 10), (10, 7), (7, 3)]


def test_the_precision_of_a_global_policy_changes_no_mask():
    expected = attached(0.5)[0].masks()
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mask, weights = attached(0.5)
        found = mask(weights)
    finally:
        keras.config.set_dtype_policy(policy)
    for place in mask.places:
        assert found[place].dtype == tf.float32
        np.testing.assert_array_equal(found[place], weights[place] * expected[place])


# The gradient.


def test_the_gradient_is_straight_through_for_pruned_entries_too():
    mask, weights = attached(0.5)
    draws = np.random.default_rng(0)
    slopes = [draws.normal(size=score.shape).astype("float32") for score in mask.scores]
    with tf.GradientTape() as tape:
        outputs = mask(weights)
        total = sum(tf.reduce_sum(c * outputs[p]) for c, p in zip(slopes, mask.places))
    gradients = tape.gradient(total, [v.value for v in mask.scores])
    for found, slope, place in zip(gradients, slopes, mask.places):
        np.testing.assert_allclose(found, slope * weights[place].numpy(), rtol=1e-6)


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
    for score in arrays(mask.scores):
        bound = np.sqrt(6 / score.shape[0])
        assert 0.99 * bound < np.abs(score).max() <= bound
        np.testing.assert_allclose(score.std(), bound / np.sqrt(3), rtol=0.03)


def test_the_key_alone_decides_the_scores():
    same, again, other = (arrays(attached(seed=seed)[0].scores) for seed in (0, 0, 1))
    np.testing.assert_array_equal(same[0], again[0])
    assert (same[0] != other[0]).all()


def test_scores_can_be_made_from_masks():
    mask, _ = attached(0.3)
    wanted = {
        place: np.random.default_rng(place).random(score.shape) < 0.8
        for place, score in zip(mask.places, mask.scores)
    }
    mask.set_masks(wanted)
    for place, expected in wanted.items():
        np.testing.assert_array_equal(mask.masks()[place], expected)


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
        mask.attach(small_conv(), None, key(0))


def test_mgaug_draws_no_score_masks():
    with pytest.raises(TypeError, match="`mask` must be a tfmgaug.masks.Mask"):
        MGAug(ScoreMask())


def test_it_goes_through_a_configuration():
    mask = ScoreMask(0.3, "fixed", prune_classifier=True, name="ticket")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(mask))
    assert copy.get_config() == mask.get_config()
