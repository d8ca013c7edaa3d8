import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted
from tests.helpers.tasks import WAY, batch, dataset, flat, small_conv, smooth_mlp, task, theta
from tests.helpers.toys import toy_classes
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.data import EpisodeSampler, LabeledSampler
from tfmgaug.engine.context import Context
from tfmgaug.evaluation import evaluate
from tfmgaug.learners import MAML, FineTuning
from tfmgaug.masks import ParameterMask
from tfmgaug.regularizers import GradDrop

CLASSES = 7


def learner(backbone=smooth_mlp, **options):
    settings = {"classes": CLASSES, "inner_steps": 2, "inner_learning_rate": 0.25, **options}
    return FineTuning(backbone(), **settings)


def initial(pupil, episode):
    context = Context().starting_from(episode.support_x, episode.support_y)
    return pupil.initial_state(context)


def labeled(seed=0):
    draws = np.random.default_rng(seed)
    x = draws.normal(size=(10, 4)).astype("float32")
    return x, draws.integers(0, CLASSES, 10).astype("int32")


def test_training_is_a_cross_entropy_over_all_classes():
    pupil, (x, y) = learner(), labeled()
    weights, layers = theta(pupil), pupil.backbone.layers
    with tf.GradientTape() as tape:
        tape.watch(weights)
        with keras.StatelessScope(list(zip(pupil.meta_variables, weights.values()))):
            features = tf.constant(x, tf.float64)
            for layer in layers[1:-1]:
                normalizes = "norm" in layer.name
                features = layer(features, training=True) if normalizes else layer(features)
            kernel, bias = map(tf.convert_to_tensor, pupil.training_head.trainable_variables)
            logits = features @ kernel + bias
        hot = tf.one_hot(y, CLASSES, dtype=tf.float64)
        loss = -tf.reduce_mean(tf.reduce_sum(hot * tf.math.log_softmax(logits), 1))
    found, measures = pupil.meta_gradients((x, y), with_measures=True)
    np.testing.assert_allclose(measures["loss"], [loss], rtol=1e-6)
    np.testing.assert_allclose(flat(found), flat(tape.gradient(loss, weights)), atol=1e-12)
    assert np.abs(flat(found)).max() > 1e-3


def test_a_task_starts_from_the_body_and_a_new_head_and_adapts_as_maml_does():
    pupil = learner()
    episode = task(batch())
    before = initial(pupil, episode)
    pupil.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    body = flat(pupil._body.trainable_variables)
    pupil.fit(dataset(labeled(), repeat=3), verbose=0)
    assert np.mean(flat(pupil._body.trainable_variables) != body) > 0.9
    start = initial(pupil, episode)
    for name in ("head_kernel", "head_bias"):
        np.testing.assert_array_equal(before[name], start[name])

    other = MAML(smooth_mlp(), inner_steps=2, inner_learning_rate=0.25)
    other.backbone.set_weights(pupil.backbone.get_weights())
    for variable, value in zip(other.backbone.trainable_variables, start.values(), strict=True):
        variable.assign(value)
    states = [adapted(one, episode) for one in (pupil, other)]
    np.testing.assert_array_equal(*(flat(state.values()) for state in states))
    assert pupil.way == WAY


def test_the_shared_head_is_drawn_from_the_seed():
    kernels = [learner(seed=seed).classifier.kernel.numpy() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert (kernels[0] != kernels[2]).all()
    spread = [np.abs(learner(small_conv, seed=s).classifier.kernel).max() for s in range(3)]
    assert max(spread) <= np.sqrt(6 / (4 + WAY))  # fans of what is multiplied: 1 x 1 x 4 and way


def test_it_is_measured_on_tasks_in_validation_alone():
    pupil = learner()
    pupil.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    validation = dataset(batch())
    history = pupil.fit(dataset(labeled()), validation_data=validation, verbose=0).history
    assert {"loss", "accuracy", "val_accuracy", "val_accuracy_before"} <= set(history)
    assert "loss_before" not in history


def test_it_learns_classes_and_new_tasks_gain_from_it():
    classes = toy_classes(classes=20, size=8, noise=60.0)
    pupil = learner(
        lambda: mlp(3, (8, 8, 1), hidden=(32,)), classes=20, inner_steps=5, inner_learning_rate=0.1
    )
    pupil.compile(keras.optimizers.Adam(0.01))
    data = LabeledSampler(classes, batch=32).dataset()
    history = pupil.fit(data, steps_per_epoch=20, epochs=3, verbose=0).history
    assert history["accuracy"][-1] > 0.9 > history["accuracy"][0]
    tasks = EpisodeSampler(toy_classes(classes=6, size=8, seed=1), way=3, query=3)
    report = evaluate(pupil, tasks, episodes=20)
    assert report.summary().mean > 0.5


def test_what_it_has_no_use_for_is_refused():
    with pytest.raises(ValueError, match="no tasks in training to act on. Received: augmentation"):
        learner(augmentation=MGAug(ParameterMask(0.1)))
    with pytest.raises(ValueError, match="Received: regularizers"):
        learner(regularizers=[GradDrop()])
    with pytest.raises(ValueError, match="`classes` must be an int >= 2. Received: 1"):
        learner(classes=1)
    with pytest.raises(TypeError, match="learns nothing over tasks. Received: learn_inner_rates"):
        learner(learn_inner_rates="layer")
    with pytest.raises(ValueError, match="FineTuning classifies"):
        learner(loss="mean_squared_error")
    with pytest.raises(TypeError, match="and on no tasks"):
        learner().meta_gradients(batch())
    with pytest.raises(TypeError, match="Expected integer labels"):
        learner().meta_gradients((labeled()[0], np.ones(10)))
    inputs = keras.Input((4,))
    behind = keras.layers.Rescaling(2.0)(keras.layers.Dense(3, name="top")(inputs))
    with pytest.raises(ValueError, match="must end with a dense layer"):
        learner(lambda: keras.Model(inputs, behind))
