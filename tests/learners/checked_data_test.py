import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import batch, dataset, flat, scatter, smooth_mlp, theta
from tfmgaug.evaluation import evaluate
from tfmgaug.learners import FOMAML, FineTuning


def compiled(learner, **options):
    learner.compile(keras.optimizers.SGD(0.1), **options)
    return learner


def fresh(**options):
    learner = FOMAML(smooth_mlp(), inner_steps=1, inner_learning_rate=0.25)
    return compiled(scatter(learner), **options)


@pytest.fixture(scope="module")
def learner():
    return fresh()


class Tasks(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return batch()


def fits(learner, *data, **options):
    history = learner.fit(*data, **options, shuffle=False, verbose=0).history
    return {name: values[0] for name, values in history.items()}, flat(theta(learner))


def test_any_data_trains_as_a_dataset_does():
    logs, expected = fits(fresh(run_eagerly=True), dataset(batch()))
    other = fresh(run_eagerly=True)
    start = [variable.numpy() for variable in other.meta_variables]

    def restarted():
        for variable, value in zip(other.meta_variables, start):
            variable.assign(value)
        return other

    ways = {
        "batch": lambda: (restarted().train_on_batch(*batch(), return_dict=True), None),
        "arrays": lambda: fits(restarted(), *batch(), batch_size=2),
        "generator": lambda: fits(restarted(), iter([batch()]), steps_per_epoch=1),
        "PyDataset": lambda: fits(restarted(), Tasks()),
    }
    for name, train in ways.items():
        found, _ = train()
        assert found == pytest.approx(logs, rel=1e-5), name
        # Keras makes float32 of the arrays that it cuts into batches.
        np.testing.assert_allclose(flat(theta(other)), expected, rtol=1e-5, err_msg=name)


def test_train_on_batch_takes_the_step_that_fit_takes():
    graph, eager = fresh(), fresh(run_eagerly=True)
    found = graph.train_on_batch(*batch(), return_dict=True)
    logs, expected = fits(eager, dataset(batch()))
    assert found == pytest.approx(logs)
    np.testing.assert_allclose(flat(theta(graph)), expected, rtol=1e-10)
    assert int(graph.step.numpy()) == 1


def test_test_on_batch_gives_what_evaluate_gives(learner):
    expected = learner.evaluate(dataset(batch()), return_dict=True, verbose=0)
    found = learner.test_on_batch(*batch(), return_dict=True)
    assert found == pytest.approx(expected)
    ordered = learner.evaluate(dataset(batch()), verbose=0)
    assert learner.test_on_batch(*batch()) == pytest.approx(ordered)


def test_predict_on_batch_gives_what_predict_gives(learner):
    expected = learner.predict(dataset(batch()), verbose=0)
    np.testing.assert_array_equal(learner.predict_on_batch(batch()[0]), expected)
    np.testing.assert_allclose(learner(batch()[0]), expected, rtol=1e-6)


weights = np.ones([2, 6])


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("class_weight", lambda learner: learner.fit(dataset(batch()), class_weight={0: 2.0})),
        ("sample_weight", lambda learner: learner.fit(*batch(), sample_weight=weights)),
        ("sample_weight", lambda learner: learner.fit(dataset((*batch(), weights)))),
        (
            "sample_weight",
            lambda learner: learner.fit(*batch(), validation_data=(*batch(), weights)),
        ),
        ("sample_weight", lambda learner: learner.evaluate(*batch(), sample_weight=weights)),
        ("class_weight", lambda learner: learner.train_on_batch(*batch(), class_weight={0: 2.0})),
        ("sample_weight", lambda learner: learner.train_on_batch(*batch(), weights)),
        ("sample_weight", lambda learner: learner.test_on_batch(*batch(), weights)),
    ],
)
def test_weights_are_refused_in_one_line(learner, name, use):
    with pytest.raises(ValueError, match=rf"weigh all tasks.* Received: {name}\.") as error:
        use(learner)
    assert "\n" not in str(error.value)


def test_fine_tuning_takes_batches_and_refuses_weights():
    learner = compiled(FineTuning(smooth_mlp(), classes=4))
    x, y = np.ones([3, 4]), np.array([0, 1, 3])
    assert np.isfinite(learner.train_on_batch(x, y, return_dict=True)["loss"])
    with pytest.raises(ValueError, match="Received: sample_weight"):
        learner.fit(tf.data.Dataset.from_tensors((x, y, np.ones([3]))), verbose=0)


@pytest.mark.parametrize(
    ("steps", "use"),
    [
        ("steps_per_epoch", lambda learner, data: learner.fit(data)),
        ("validation_steps", lambda learner, data: learner.fit(*batch(), validation_data=data)),
        ("steps", lambda learner, data: learner.evaluate(data)),
        ("steps", lambda learner, data: learner.predict(data)),
    ],
)
def test_an_endless_dataset_needs_a_number_of_steps(learner, steps, use):
    with pytest.raises(ValueError, match=f"has no end: say `{steps}`"):
        use(learner, dataset(batch()).repeat())


@pytest.mark.parametrize(
    "use",
    [
        lambda learner, x: learner(x),
        lambda learner, x: learner.predict(x),
        lambda learner, x: learner.predict(tf.data.Dataset.from_tensors(x)),
        lambda learner, x: learner.predict_on_batch(x),
    ],
)
def test_examples_alone_are_answered_with_how_to_predict_them(learner, use):
    with pytest.raises(TypeError, match=r"`learner\.adapt\(support_x, support_y\)\.predict"):
        use(learner, np.ones([2, 4], "float32"))


def ragged(inputs):
    support_x = tf.RaggedTensor.from_row_lengths(tf.ones([7, 4]), [3, 4])
    support_y = tf.RaggedTensor.from_row_lengths(tf.range(7) % 3, [3, 4])
    return {**inputs, "support_x": support_x, "support_y": support_y}


def test_ragged_batches_are_refused_by_name(learner):
    inputs, query_y = batch()
    unequal = {**inputs, "support_x": [[[1.0] * 4] * 3, [[1.0] * 4] * 4]}
    for use in (
        lambda: learner.fit(dataset((ragged(inputs), query_y)), verbose=0),
        lambda: learner.meta_gradients((ragged(inputs), query_y)),
        lambda: learner.meta_gradients((unequal, query_y)),
    ):
        with pytest.raises(ValueError, match="`support_x` as an array.*batches of their own"):
            use()


def test_a_sampler_without_an_index_is_evaluated(learner):
    inputs, query_y = batch()
    bare = {name: part for name, part in inputs.items() if name != "index"}
    reports = [
        evaluate(
            learner,
            types.SimpleNamespace(dataset=lambda data=data, **_: dataset(data)),
            episodes=2,
            statistics="transductive",
        )
        for data in ((inputs, query_y), (bare, query_y))
    ]
    np.testing.assert_array_equal(reports[0].values(), reports[1].values())
    assert reports[0].fingerprint == reports[1].fingerprint
