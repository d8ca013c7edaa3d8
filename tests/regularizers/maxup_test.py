import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient, training_run
from tests.helpers.tasks import flat, images, scatter, smooth_mlp, task
from tfmgaug.backbones import mlp
from tfmgaug.data import Augment
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, ProtoNet
from tfmgaug.randomness import fold, uniform
from tfmgaug.regularizers import CutMix, MaxUp, OnQuery, OnSupport, RandomErase, RotateClasses
from tfmgaug.regularizers.task_augmentation import TaskAugmentation


@keras.saving.register_keras_serializable("tests")
class Nothing(TaskAugmentation):
    def __call__(self, episode, key):
        return episode


@keras.saving.register_keras_serializable("tests")
class Darken(TaskAugmentation):
    """Multiplies all images by a factor of this draw."""

    def __call__(self, episode, key):
        def darken(x):
            return tf.cast(tf.cast(x, tf.float32) * uniform([], key), x.dtype)

        x = {"support_x": darken(episode.support_x), "query_x": darken(episode.query_x)}
        return episode._replace(**x)


def learner(*regularizers, kind=MAML, **options):
    embeds = kind is ProtoNet
    settings = {} if embeds else {"inner_steps": 1, "inner_learning_rate": 0.3}
    backbone = mlp(
        None if embeds else 3, (16, 16, 1), hidden=(4,), activation="tanh", dtype="float64"
    )
    return scatter(kind(backbone, regularizers=regularizers, **{**settings, **options}))


def parts(augmented):
    """The augmented tasks one by one, with the labels of those that are not mixed."""
    for number in range(augmented.query_x.shape[0]):
        one = tf.nest.map_structure(lambda part, n=number: part[n], augmented)
        np.testing.assert_array_equal(one.query_y.share, 1)
        yield one._replace(query_y=one.query_y.first)


def plain_runs(episodes, **options):
    plain = learner(**options)
    return [training_run(plain, episode) for episode in episodes]


POOL = [Darken(), OnQuery(RandomErase(1.0))]


@pytest.mark.parametrize("kind", [MAML, ProtoNet])
def test_the_worst_of_the_augmented_tasks_is_trained_on(kind):
    maxup, episode = MaxUp(3, POOL), task(images())
    pupil, plain = learner(maxup, kind=kind), learner(kind=kind)
    with_it = task_gradient(pupil, episode)
    key = fold(pupil.task_key(episode), "episode", 0)
    learned = [task_gradient(plain, one) for one in parts(maxup._augmentations(episode, key))]
    losses = [float(one.outcome.loss) for one in learned]
    assert len(set(losses)) == 3
    worst = learned[int(np.argmax(losses))]
    np.testing.assert_allclose(with_it.outcome.loss, max(losses), rtol=1e-12)
    np.testing.assert_array_equal(with_it.outcome.accuracy, worst.outcome.accuracy)
    found, expected = flat(with_it.gradients), flat(worst.gradients)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("kind", [MAML, ProtoNet])
def test_each_query_can_take_its_own_worst(kind):
    maxup, episode = MaxUp(3, POOL, maximum="query"), task(images())
    pupil = learner(maxup, kind=kind)
    outcome = task_gradient(pupil, episode).outcome
    augmented = maxup._augmentations(episode, fold(pupil.task_key(episode), "augmentations"))
    runs = plain_runs(parts(augmented), kind=kind)
    logits = np.array([run.logits for run in runs])  # [m, queries, way]
    labels = episode.query_y.numpy()
    logarithms = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    losses = -logarithms[:, np.arange(6), labels]
    assert len(set(losses.argmax(0))) > 1
    np.testing.assert_allclose(outcome.loss, losses.max(0).mean(), rtol=1e-10)
    hits = logits.argmax(2) == labels
    worst, best = (hits[at, np.arange(6)].mean() for at in (losses.argmax(0), losses.argmin(0)))
    assert worst < best
    np.testing.assert_allclose(outcome.accuracy, worst, rtol=1e-6)


@pytest.mark.parametrize("kind", [MAML, FOMAML, ANIL, BOIL, ProtoNet])
@pytest.mark.parametrize("maximum", ["task", "query"])
def test_one_task_that_nothing_is_done_to_is_the_plain_learner_bit_for_bit(kind, maximum):
    maxup = MaxUp(1, [Nothing()], maximum=maximum)
    (found, measured), (expected, measures) = (
        one.meta_gradients(images(1), True)
        for one in (learner(maxup, kind=kind), learner(kind=kind))
    )
    np.testing.assert_array_equal(flat(found), flat(expected))
    for name in measures:
        np.testing.assert_array_equal(measured[name], measures[name])


@pytest.mark.parametrize("maximum", ["task", "query"])
def test_the_worst_is_no_better_than_a_single_one(maximum):
    def losses(m):
        pupil = learner(MaxUp(m, [Darken()], maximum=maximum), kind=ProtoNet)
        learned = [task_gradient(pupil, task(images(first=n))) for n in range(3)]
        return np.array([one.outcome.loss for one in learned])

    assert (losses(3) >= losses(1)).all()
    assert (losses(3) > losses(1)).any()


@pytest.mark.parametrize("kind", [MAML, ProtoNet])
@pytest.mark.parametrize("maximum", ["task", "query"])
def test_meta_gradients_equal_finite_differences(kind, maximum):
    pupil = learner(MaxUp(2, maximum=maximum), kind=kind, statistics="support")
    assert_gradient_is_exact(pupil, task(images()), directions=1)


@pytest.mark.parametrize("maximum", ["task", "query"])
def test_the_graph_of_a_batch_gives_the_same_and_orders_nothing(maximum):
    pool = [RotateClasses(), [OnQuery(Augment()), CutMix()], OnSupport(RandomErase())]
    pupil = learner(MaxUp(2, pool, maximum), kind=ProtoNet)
    graph = tf.function(lambda: pupil.meta_gradients(images()), autograph=False)
    functions = graph.get_concrete_function().graph.as_graph_def().library.function
    nodes = [node for one in functions for node in one.node_def if op_def_registry.get(node.op)]
    assert len(nodes) > 100
    assert not {node.op for node in nodes if op_def_registry.get(node.op).is_stateful}
    expected = flat(pupil.meta_gradients(images()))
    np.testing.assert_allclose(flat(graph()), expected, rtol=1e-9, atol=1e-13)


def test_penalties_see_the_worst_task():
    class Seeing(MaxUp):
        def penalty(self, run):
            seen.append(float(run.plain_outcome.loss))
            return 0.0

    seen = []
    pupil = learner(Seeing(3, POOL))
    outcome = task_gradient(pupil, task(images())).outcome
    assert seen == [float(outcome.loss)]


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="MaxUp augments images"):
        MAML(smooth_mlp(), regularizers=[MaxUp()])


def test_images_that_are_not_square_cannot_be_turned():
    def wide(pool):
        MAML(mlp(3, (8, 16, 1), hidden=(4,)), regularizers=[MaxUp(pool=pool)])

    wide([CutMix()])
    with pytest.raises(ValueError, match="RotateClasses needs square images"):
        wide([CutMix(), [RotateClasses(), CutMix()]])


def test_a_second_one_is_refused():
    with pytest.raises(ValueError, match="One MaxUp is enough"):
        learner(MaxUp(), MaxUp(maximum="query"))


def test_a_regression_has_no_classes_to_turn():
    with pytest.raises(ValueError, match="a regression has none of"):
        learner(MaxUp(), loss="mean_squared_error")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"m": 0}, ValueError, "`m` must be an int >= 1"),
        ({"maximum": "batch"}, ValueError, "must be 'task' or 'query'"),
        ({"pool": []}, ValueError, "`pool` must hold augmentations"),
        ({"pool": [[]]}, ValueError, "`pool` must hold augmentations"),
        ({"pool": [RandomErase()]}, TypeError, "`pool` must be of TaskAugmentation"),
        ({"pool": [[CutMix(), RotateClasses()]]}, ValueError, "must come last in a list"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        MaxUp(**arguments)


def test_it_is_saved_with_the_learner(tmp_path):
    maxup = MaxUp(2, [Darken(), [RotateClasses(), CutMix(1.5)], OnQuery(RandomErase(0.7))])
    pupil = learner(maxup, kind=ProtoNet)
    pupil.save(tmp_path / "maxup.keras")
    loaded = keras.models.load_model(tmp_path / "maxup.keras")
    found, expected = (flat(one.meta_gradients(images())) for one in (loaded, pupil))
    np.testing.assert_array_equal(found, expected)
    assert loaded.regularizers[0].pool[1][1].concentration == 1.5
