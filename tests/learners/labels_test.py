"""Labels are refused where they enter: out of range, or of a class without support."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import batch, dataset, scatter, smooth_mlp, task
from tfmgaug.analysis.frozen_tasks import over_tasks
from tfmgaug.evaluation import evaluate
from tfmgaug.learners import FOMAML, FineTuning, ProtoNet, labels

FAR = 300_000_000


@pytest.fixture(scope="module")
def learner():
    learner = FOMAML(smooth_mlp(), inner_steps=1)
    learner.compile("sgd")
    return learner


@pytest.fixture(scope="module")
def embedding():
    learner = ProtoNet(smooth_mlp(way=None))
    learner.compile("sgd")
    return learner


def with_label(label, part="support_y", kind="int64"):
    """A batch of tasks one of whose labels is another."""
    inputs, query_y = batch()
    parts = {"support_y": inputs["support_y"].astype(kind), "query_y": query_y.astype(kind)}
    parts[part][1, -1] = label
    return {**inputs, "support_y": parts["support_y"]}, parts["query_y"]


class Sampler:
    """Yields one batch of two tasks."""

    way, shot, query, seed = 3, 2, 2, 0

    def __init__(self, data):
        self.data = data

    def dataset(self, start=0, episodes=2):
        return dataset(self.data)


DOORS = {
    "meta_gradients": lambda learner, data: learner.meta_gradients(data),
    "fit": lambda learner, data: learner.fit(dataset(data), verbose=0),
    "validation": lambda learner, data: learner.fit(
        dataset(batch()), validation_data=dataset(data), verbose=0
    ),
    "arrays": lambda learner, data: learner.fit(*data, batch_size=2, verbose=0),
    "generator": lambda learner, data: learner.fit(iter([data]), steps_per_epoch=1, verbose=0),
    "train_on_batch": lambda learner, data: learner.train_on_batch(*data),
    "test_on_batch": lambda learner, data: learner.test_on_batch(*data),
    "keras evaluate": lambda learner, data: learner.evaluate(dataset(data), verbose=0),
    "evaluate": lambda learner, data: evaluate(
        learner, Sampler(data), episodes=2, statistics="transductive"
    ),
    "analyses": lambda learner, data: over_tasks(
        learner, lambda *_: {"one": 1.0}, {"one": tf.float32}, Sampler(data), 2
    ),
}
WITHOUT_QUERY_LABELS = {
    "call": lambda learner, data: learner(data[0]),
    "predict": lambda learner, data: learner.predict(dataset(data), verbose=0),
    "adapt": lambda learner, data: learner.adapt(data[0]["support_x"][1], data[0]["support_y"][1]),
}


@pytest.mark.parametrize("door", DOORS)
def test_queries_of_a_class_without_support_are_refused(learner, door):
    data = with_label(0)
    data[0]["support_y"][1] = [0, 0, 1, 1, 0, 1]
    with pytest.raises(ValueError, match="Received: queries of class 2 without support"):
        DOORS[door](learner, data)


@pytest.mark.parametrize("label", [3, -1, 2**32 + 1])
@pytest.mark.parametrize("door", {**DOORS, **WITHOUT_QUERY_LABELS})
def test_labels_beyond_the_way_are_refused(learner, door, label):
    with pytest.raises(ValueError, match=rf"from 0 to 2\. Received: labels from .*{abs(label)}"):
        {**DOORS, **WITHOUT_QUERY_LABELS}[door](learner, with_label(label))


@pytest.mark.parametrize("door", {**DOORS, **WITHOUT_QUERY_LABELS})
def test_labels_are_bounded_without_a_way_too(embedding, door):
    with pytest.raises(ValueError, match=f"from 0 to 9999.* to {FAR}"):
        {**DOORS, **WITHOUT_QUERY_LABELS}[door](embedding, with_label(FAR))


def test_labels_up_to_the_bound_will_do(embedding):
    episode = task(batch())
    expected = embedding.adapt(episode.support_x, episode.support_y).predict(episode.query_x)
    names = np.array([0, 7, labels.MAX_CLASSES - 1])
    found = embedding.adapt(episode.support_x, names[episode.support_y.numpy()])
    probabilities = found.predict(episode.query_x)[:, names]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-14)  # a sum of 10 000 terms


def test_wide_labels_never_wrap():
    wide = [0, 2, 2**32, 2**32 + 1, 2**63 - 1, -(2**40)]
    np.testing.assert_array_equal(
        labels.as_int32(np.array(wide)), [0, 2, 2**31 - 1, 2**31 - 1, 2**31 - 1, -1]
    )
    np.testing.assert_array_equal(
        labels.as_int32(np.array([1, 2**64 - 1], "uint64")), [1, 2**31 - 1]
    )
    assert labels.as_int32(np.array([3], "uint8")).dtype == tf.int32


def test_eight_ways_on_five_outputs_are_refused_in_one_line():
    learner = FOMAML(smooth_mlp(5), inner_steps=1)
    learner.compile("sgd")
    line = r"^Expected labels from 0 to 4\. Received: labels from 0 to 7 in support_y\.$"
    with pytest.raises(ValueError, match=line):
        learner.fit(dataset(batch(way=8)), verbose=0)


def test_fine_tuning_refuses_labels_beyond_its_classes():
    learner = FineTuning(smooth_mlp(), classes=4)
    learner.compile("sgd")
    x, y = np.ones([3, 4]), np.array([0, 3, 2**32], "int64")
    for refused in (
        lambda: learner.meta_gradients((x, y)),
        lambda: learner.train_on_batch(x, y),
        lambda: learner.fit(tf.data.Dataset.from_tensors((x, y)), verbose=0),
    ):
        with pytest.raises(ValueError, match=f"from 0 to 3.*to {2**32}"):
            refused()


def test_what_passes_the_checks_is_what_came(learner):
    scatter(learner)
    checked = dataset(batch()).map(lambda *parts: learner.checked_tasks(parts))
    assert checked.element_spec == dataset(batch()).element_spec
    for found, expected in zip(tf.nest.flatten(next(iter(checked))), tf.nest.flatten(batch())):
        np.testing.assert_array_equal(found, expected)
