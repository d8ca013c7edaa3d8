"""Heads of tasks: one support set has one head, wherever it is asked for."""

import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.numpy_network import plain_mlp, sampler
from tests.helpers.tasks import smooth_conv, smooth_mlp
from tests.helpers.toys import toy_classes
from tfmgaug.analysis import GradientCoherenceMeter, LandscapeMeter
from tfmgaug.backbones import mlp
from tfmgaug.data import EpisodeSampler, LabeledSampler
from tfmgaug.engine.context import Context
from tfmgaug.evaluation import evaluate
from tfmgaug.learners import FineTuning
from tfmgaug.learners.task_heads import support_digest
from tfmgaug.saved_model import export

TASKS = [sampler().episode(number) for number in range(4)]


def learner(backbone=None, **options):
    settings = {"classes": 6, "inner_steps": 2, "inner_learning_rate": 0.5, **options}
    return FineTuning(backbone or plain_mlp(dtype="float32"), **settings)


def start(pupil, episode):
    """The kernel and the biases that a task starts from."""
    context = Context().starting_from(episode.support_x, episode.support_y)
    state = pupil.initial_state(context)
    return [state[name].numpy() for name in ("head_kernel", "head_bias")]


@pytest.fixture(scope="module")
def trained():
    """A body that tells the classes of `TASKS`' sampler apart."""
    pupil = learner(mlp(3, (4, 4, 1), hidden=(16,)), classes=6)
    pupil.compile(keras.optimizers.Adam(0.01))
    images = LabeledSampler(toy_classes(classes=6, images=6, size=4), batch=16)
    pupil.fit(images.dataset(), steps_per_epoch=40, verbose=0)
    return pupil


def test_each_task_has_a_head_of_its_own_and_always_the_same():
    pupil = learner()
    kernels = [start(pupil, episode)[0] for episode in TASKS]
    for number, kernel in enumerate(kernels):
        np.testing.assert_array_equal(kernel, start(learner(), TASKS[number])[0])
        others = [other for place, other in enumerate(kernels) if place != number]
        assert all((kernel != other).all() for other in others)
        assert (kernel != pupil.classifier.kernel.numpy()).all()
    assert (start(learner(seed=1), TASKS[0])[0] != kernels[0]).all()


def test_heads_have_the_spread_of_glorot_and_biases_of_zero():
    pupil = learner()
    heads = [start(pupil, sampler().episode(number)) for number in range(100)]
    kernels = np.stack([kernel for kernel, _ in heads])
    limit = np.sqrt(6 / (6 + 3))  # 6 features, 3 ways
    assert 0.99 * limit < np.abs(kernels).max() <= limit
    np.testing.assert_allclose(kernels.std(), limit / np.sqrt(3), rtol=0.03)
    assert abs(kernels.mean()) < 0.05
    assert not any(bias.any() for _, bias in heads)


def test_the_fans_of_a_kernel_with_positions_are_those_of_what_is_multiplied():
    pupil = learner(smooth_conv(size=32, dtype="float32"), seed=2)
    x = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1)).astype("uint8")
    kernel = pupil.classifier.kernel
    state = pupil.initial_state(Context().starting_from(x, np.arange(3)))
    limit = np.sqrt(6 / (int(tf.size(kernel)) / 3 + 3))
    assert 0.8 * limit < np.abs(state["head_kernel"]).max() <= limit


def test_the_rest_of_the_state_is_the_body():
    pupil = learner(smooth_mlp())
    rows = np.ones([3, 4])
    state = pupil.initial_state(Context().starting_from(rows, np.arange(3)))
    assert list(state) == list(pupil.network.variables)
    for name, variable in pupil.network.variables.items():
        if not name.startswith("head"):
            np.testing.assert_array_equal(state[name], variable.numpy())


def test_evaluation_adapt_and_the_export_give_one_head_to_one_support_set(trained, tmp_path):
    episode = TASKS[0]
    losses = trained.step_outcomes(episode)["loss"]
    predicted = trained.adapt(*episode[:2]).predict(episode.query_x)
    picked = predicted[np.arange(len(episode.query_y)), episode.query_y]
    np.testing.assert_allclose(losses[-1], -np.log(picked).mean(), rtol=1e-5)
    trained.export(tmp_path / "export", statistics="transductive")
    exported = tf.saved_model.load(str(tmp_path / "export")).signatures["adapt_and_predict"](
        support_x=episode.support_x.astype("float32"),
        support_y=tf.constant(episode.support_y, tf.int32),
        query_x=episode.query_x.astype("float32"),
    )
    np.testing.assert_allclose(exported["probabilities"], predicted, atol=1e-6)


def test_steps_one_by_one_end_where_all_at_once_do(trained):
    x, y = TASKS[1][:2]
    context = Context()
    whole = first = trained.initial_state(context.starting_from(x, y))
    whole = trained.adapt_state(whole, x, y, context, 2)
    halves = trained.adapt_state(trained.adapt_state(first, x, y, context, 1), x, y, context, 1)
    for name in ("head_kernel", "head_bias"):
        np.testing.assert_array_equal(whole[name], halves[name])


def test_images_of_another_size_have_the_head_of_what_they_are_resized_to(tmp_path):
    pupil = learner()
    images = np.random.default_rng(1).integers(0, 256, (3, 7, 9, 1)).astype("uint8")
    adapted = pupil.adapt(images, np.arange(3)).state["head_kernel"]
    export(pupil, tmp_path / "export")
    found = tf.saved_model.load(str(tmp_path / "export")).signatures["adapt"](
        support_x=images.astype("float32"), support_y=tf.range(3)
    )
    np.testing.assert_allclose(found["head_kernel"], adapted, atol=1e-6)


def test_a_frozen_evaluation_is_the_same_after_saving_and_in_batches_of_any_size(trained, tmp_path):
    def losses(pupil, tasks):
        return evaluate(pupil, sampler(tasks=tasks), episodes=6).values(metric="loss")

    trained.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    assert loaded.task_head == "per_task"
    expected = losses(trained, 2)
    np.testing.assert_array_equal(losses(loaded, 2), expected)
    np.testing.assert_allclose(losses(trained, 3), expected, rtol=1e-6)
    alone = [trained.step_outcomes(episode)["loss"] for episode in TASKS]
    np.testing.assert_allclose(alone, expected[:4], rtol=1e-5)


def test_a_file_from_before_heads_of_tasks_keeps_its_shared_head(trained, tmp_path):
    trained.save(tmp_path / "now.keras")
    with (
        zipfile.ZipFile(tmp_path / "now.keras") as now,
        zipfile.ZipFile(tmp_path / "then.keras", "w") as then,
    ):
        for name in now.namelist():
            content = now.read(name)
            if name == "config.json":
                config = json.loads(content)
                del config["config"]["task_head"]
                content = json.dumps(config)
            then.writestr(name, content)
    loaded = keras.models.load_model(tmp_path / "then.keras")
    assert loaded.task_head == "shared"
    for episode in TASKS[:2]:
        np.testing.assert_array_equal(start(loaded, episode)[0], trained.classifier.kernel)


def test_tasks_agree_by_a_shared_head_alone():
    """Under one trained body: cosines of gradients and trajectories of tasks of other classes."""
    backbone = mlp(6, (4, 4, 1), hidden=(32,), normalization=False)
    pupil = learner(backbone, classes=12, inner_learning_rate=0.1)
    pupil.compile(keras.optimizers.Adam(0.01))
    images = LabeledSampler(toy_classes(classes=12, images=6, size=4), batch=32)
    pupil.fit(images.dataset(), steps_per_epoch=100, verbose=0)
    others = toy_classes(classes=24, images=6, size=4, seed=5)
    tasks = EpisodeSampler(others, way=6, query=2, tasks=8)

    def coherence(choice):
        pupil.task_head = choice
        report = LandscapeMeter(pupil, tasks, tasks=40, curvature=False).measure()
        found = [report.summary(name).mean for name in ("gradient_cosine", "trajectory_coherence")]
        gradients = GradientCoherenceMeter(pupil, tasks, tasks=40).measure()
        assert gradients == pytest.approx(report.summary("gradient_coherence").mean, rel=1e-4)
        return np.array(found)

    assert (np.abs(coherence("per_task")) < 0.03).all()
    assert (coherence("shared") > 0.1).all()


def test_the_head_can_be_chosen_on_a_learner(trained):
    pupil = learner(trained.backbone)
    alone = pupil.step_outcomes(TASKS[0])["loss"]
    pupil.task_head = "shared"
    assert (start(pupil, TASKS[0])[0] == start(pupil, TASKS[1])[0]).all()
    assert (pupil.step_outcomes(TASKS[0])["loss"] != alone).numpy().all()
    with pytest.raises(ValueError, match="must be one of .*'per_task', 'shared'.*'none'"):
        pupil.task_head = "none"


def test_what_no_head_can_be_drawn_for_is_refused():
    with pytest.raises(ValueError, match="Each task of this learner .* `context.starting_from"):
        learner().initial_state()
    frozen = plain_mlp()
    frozen.layers[-1].trainable = False
    with pytest.raises(ValueError, match="or use task_head='shared'. Received: a frozen layer"):
        learner(frozen)
    assert learner(frozen, task_head="shared").classifier.name == "head"


# Digests.


def images(seed=0, rows=4):
    return np.random.default_rng(seed).integers(0, 256, (rows, 5, 5, 1)).astype("uint8")


def test_a_digest_is_that_of_a_set_of_values_in_any_order_and_type():
    x, y, order = images(), np.array([0, 1, 2, 0]), [2, 0, 3, 1]
    expected = support_digest(x, y)
    assert expected.dtype == tf.int64
    for other_x in (x.astype("float32"), x.astype("float64"), tf.constant(x, tf.int32)):
        assert support_digest(other_x, y.astype("int32")) == expected
    assert support_digest(x[order], y[order]) == expected
    graph = tf.function(support_digest, reduce_retracing=True)
    assert graph(tf.constant(x), tf.constant(y)) == expected
    assert graph(tf.constant(x[:2]), tf.constant(y[:2])) == support_digest(x[:2], y[:2])


def test_another_set_has_another_digest():
    x, y = images(), np.array([0, 1, 2, 0])
    one_pixel = x.copy()
    one_pixel[1, 2, 3, 0] ^= 1
    swapped_pixels = x.copy()
    swapped_pixels[[0, 1], 2, 2] = x[[1, 0], 2, 2]
    others = [
        (one_pixel, y),
        (swapped_pixels, y),
        (x.transpose(0, 2, 1, 3), y),
        (x, np.array([1, 0, 2, 0])),  # the labels of two images exchanged
        (x[:3], y[:3]),
        (x[[0, 1, 2, 3, 3]], y[[0, 1, 2, 3, 3]]),
    ]
    found = [int(support_digest(*support)) for support in [(x, y), *others]]
    assert len(set(found)) == len(found)


def test_digests_of_black_and_white_images_do_not_collide():
    draws = np.random.default_rng(3)
    sets = 255 * draws.integers(0, 2, (2000, 3, 4, 4)).astype("uint8")
    graph = tf.function(
        lambda: tf.map_fn(
            lambda x: support_digest(x, tf.range(3)), sets, fn_output_signature=tf.int64
        )
    )
    found = graph()
    assert len(set(found.numpy().tolist())) == 2000
