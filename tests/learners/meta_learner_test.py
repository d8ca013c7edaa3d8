import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import (
    batch,
    chosen,
    dataset,
    flat,
    images,
    regression,
    scatter,
    small_conv,
    smooth_mlp,
    task,
    theta,
)
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.learners import ANIL, FOMAML, MAML, ProtoNet
from tfmgaug.learners.batches import to_episodes
from tfmgaug.masks import CatfishMask, ParameterMask


def fomaml(backbone=None, **options):
    settings = {"inner_steps": 2, "inner_learning_rate": 0.25, **options}
    return scatter(FOMAML(backbone or smooth_mlp(), **settings))


def compiled(learner, optimizer=None, run_eagerly=True, **options):
    """Tracing a graph for one step takes longer than the step."""
    optimizer = optimizer or keras.optimizers.SGD(0.1)
    learner.compile(optimizer, run_eagerly=run_eagerly, **options)
    return learner


def protonet(**options):
    return scatter(ProtoNet(smooth_mlp(way=None), **options))


# The batch of tasks.


@pytest.mark.parametrize("make", [fomaml, protonet])
def test_permuted_tasks_permute_outcomes_and_keep_the_gradient(make):
    learner = make(augmentation=MGAug(ParameterMask(0.4), subnetworks=1))
    order = [2, 0, 3, 1]
    data = batch(4)
    gradients, measures = learner.meta_gradients(data, with_measures=True)
    moved, moved_measures = learner.meta_gradients(chosen(data, order), with_measures=True)
    for name, values in measures.items():
        np.testing.assert_array_equal(tf.gather(values, order), moved_measures[name])
    assert len(np.unique(measures["loss"])) == 4
    np.testing.assert_allclose(flat(moved), flat(gradients), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("make", [fomaml, protonet])
def test_a_batch_of_four_is_the_mean_of_four_batches_of_one(make):
    learner = make(augmentation=MGAug(CatfishMask((0.0, 0.4)), subnetworks=2))
    data = batch(4)
    singles = [flat(learner.meta_gradients(chosen(data, [n]))) for n in range(4)]
    together = flat(learner.meta_gradients(data))
    np.testing.assert_allclose(together, np.mean(singles, 0), rtol=1e-12, atol=1e-15)


def test_the_graph_adds_four_tasks_in_pairwise_order():
    learner = fomaml(smooth_mlp(dtype="float32"))
    graph = tf.function(learner.meta_gradients, autograph=False, reduce_retracing=True)
    data = batch(4)
    singles = [flat(graph(chosen(data, [n]))) for n in range(4)]
    pairwise = ((singles[0] + singles[1]) + (singles[2] + singles[3])) / 4
    np.testing.assert_array_equal(flat(graph(data)), pairwise)


MEMORY = """
import resource, sys
import numpy as np, tensorflow as tf
from tfmgaug.backbones import mlp
from tfmgaug.learners import FOMAML
backbone = mlp(2, (1000,), hidden=(2000, 2000), normalization=False)
learner = FOMAML(backbone, inner_steps=1, parallel_tasks=1)
for tasks in (4, 24):
    x, y = np.ones([tasks, 2, 1000], "float32"), np.tile(np.arange(2, dtype="int32"), (tasks, 1))
    batch = ({"support_x": x, "support_y": y, "query_x": x}, y)
    for _ in range(2):
        tf.function(learner.meta_gradients)(batch)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_number_of_tasks():
    command = [sys.executable, "-c", MEMORY]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    four, twenty_four = map(int, output.split())
    # The weights take 24 MB: stacked gradients of 20 more tasks would take 480.
    assert twenty_four - four < 200
    assert four > 100


# Training.


def test_fit_applies_the_meta_gradients():
    learner = compiled(fomaml(), run_eagerly=False)
    before, gradients = flat(theta(learner)), flat(learner.meta_gradients(batch()))
    history = learner.fit(dataset(batch()), verbose=0).history
    np.testing.assert_allclose(flat(theta(learner)), before - 0.1 * gradients, rtol=1e-6)
    assert set(history) == {"loss", "accuracy", "loss_before", "accuracy_before"}
    assert int(learner.step.numpy()) == 1


def test_fit_learns():
    backbone = small_conv(filters=8)
    learner = compiled(FOMAML(backbone), keras.optimizers.Adam(0.01), run_eagerly=False)
    losses = learner.fit(dataset(images(), repeat=20), epochs=2, verbose=0).history["loss"]
    assert losses[1] < 0.5 * losses[0]


def test_regression_has_losses_and_no_accuracy():
    backbone = mlp(1, (1,), hidden=(8,), dtype="float64")
    learner = compiled(fomaml(backbone, loss="mean_squared_error"))
    history = learner.fit(dataset(regression()), verbose=0).history
    assert set(history) == {"loss", "loss_before"}
    logs = learner.evaluate(dataset(regression()), return_dict=True, verbose=0)
    assert set(logs) == {"loss", "loss_before", "loss_step_0", "loss_step_1", "loss_step_2"}


def test_evaluate_reports_every_inner_step():
    learner = compiled(fomaml(), run_eagerly=False)
    logs = learner.evaluate(dataset(batch(3)), return_dict=True, verbose=0)
    outcomes = [learner.step_outcomes(task(batch(3), n)) for n in range(3)]
    for step in range(3):
        for name in ("loss", "accuracy"):
            expected = np.mean([outcome[name][step] for outcome in outcomes])
            np.testing.assert_allclose(logs[f"{name}_step_{step}"], expected, rtol=1e-5)
    assert logs["loss_before"] == logs["loss_step_0"]
    assert logs["loss"] == logs["loss_step_2"]


def test_predict_gives_the_probabilities_that_adapt_gives():
    learner = compiled(fomaml(smooth_mlp(dtype="float32")))
    inputs, _ = batch(3)
    found = learner.predict(dataset(batch(3)), verbose=0)
    for number in range(3):
        adapted = learner.adapt(inputs["support_x"][number], inputs["support_y"][number])
        expected = adapted.predict(inputs["query_x"][number])
        np.testing.assert_allclose(found[number], expected, atol=1e-6)


def test_outcomes_before_adaptation_are_not_measured_when_told_so():
    learner = compiled(fomaml(measure_before=False))
    assert set(learner.fit(dataset(batch()), verbose=0).history) == {"loss", "accuracy"}


def test_mixed_bfloat16_trains_float32_weights():
    learner = FOMAML(small_conv(dtype="mixed_bfloat16"), inner_steps=2)
    compiled(learner, keras.optimizers.Adam(0.01), run_eagerly=False)
    before = flat(theta(learner))
    history = learner.fit(dataset(images(), repeat=3), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert {v.dtype for v in learner.meta_variables} == {"float32"}
    assert {g.dtype for g in learner.meta_gradients(images()).values()} == {tf.float32}
    assert (flat(theta(learner)) != before).all()


@pytest.mark.parametrize(
    "options", [{"loss": "mse"}, {"jit_compile": True}, {"metrics": ["accuracy"]}]
)
def test_compile_refuses_what_it_would_ignore(options):
    with pytest.raises(ValueError, match=f"Received: {next(iter(options))}"):
        fomaml().compile("adam", **options)


def test_xla_stays_off():
    assert compiled(fomaml()).jit_compile is False


# Statistics.


def statistics_of(learner):
    return flat(learner.backbone.non_trainable_variables)


def test_running_statistics_follow_the_query_batches():
    learner = compiled(fomaml(statistics="running"))
    old = statistics_of(learner)
    episodes = [task(batch(), n) for n in range(2)]
    new = np.mean([flat(task_gradient(learner, e).statistics) for e in episodes], 0)
    learner.fit(dataset(batch()), verbose=0)
    np.testing.assert_allclose(statistics_of(learner), 0.9 * old + 0.1 * new, rtol=1e-6)
    assert np.abs(new - old).min() > 1e-6


def test_statistics_of_query_batches_are_those_at_adapted_weights():
    learner, episode = fomaml(statistics="running"), task(batch())
    state = adapted(learner, episode)
    x = tf.cast(episode.query_x, tf.float32).numpy() @ state["dense1_kernel"].numpy()
    found = task_gradient(learner, episode).statistics
    np.testing.assert_allclose(found["norm1_mean"], x.mean(0), rtol=1e-9)
    np.testing.assert_allclose(found["norm1_variance"], x.var(0), rtol=1e-9)


@pytest.mark.parametrize("statistics", ["transductive", "support"])
def test_no_statistic_moves_in_other_modes(statistics):
    learner = compiled(fomaml(statistics=statistics))
    before = statistics_of(learner)
    learner.fit(dataset(batch()), validation_data=dataset(batch()), verbose=0)
    np.testing.assert_array_equal(statistics_of(learner), before)


def test_evaluation_moves_no_running_statistic():
    learner = compiled(fomaml(statistics="running"))
    before = statistics_of(learner)
    learner.evaluate(dataset(batch()), verbose=0)
    np.testing.assert_array_equal(statistics_of(learner), before)


@pytest.mark.parametrize("make", [fomaml, protonet])
@pytest.mark.parametrize("statistics", ["support", "running"])
def test_queries_are_independent_unless_statistics_are_transductive(make, statistics):
    learner, episode = make(statistics=statistics), task(batch())
    adapted = learner.adapt(episode.support_x, episode.support_y, statistics)
    together = adapted.predict(episode.query_x)
    np.testing.assert_allclose(adapted.predict(episode.query_x[:1]), together[:1], atol=1e-6)
    transductive = learner.adapt(episode.support_x, episode.support_y, "transductive")
    few = transductive.predict(episode.query_x[:3])
    assert np.abs(few - transductive.predict(episode.query_x)[:3]).max() > 1e-3


def test_running_statistics_that_were_never_averaged_are_refused():
    episode = task(batch())
    adapted = fomaml().adapt(episode.support_x, episode.support_y, "running")
    with pytest.raises(ValueError, match="statistics='transductive'"):
        adapted.predict(episode.query_x)


# Batches.


def test_running_statistics_leave_frozen_weights_alone():
    backbone = mlp(3, (4,), hidden=(8,))
    backbone.get_layer("dense1").trainable = False
    learner = compiled(FOMAML(backbone, inner_steps=1, statistics="running"))
    frozen = backbone.get_layer("dense1").kernel.numpy()
    moving = backbone.get_layer("norm1").mean.numpy()
    learner.fit(dataset(batch(), repeat=2), verbose=0)
    np.testing.assert_array_equal(backbone.get_layer("dense1").kernel.numpy(), frozen)
    assert np.abs(backbone.get_layer("norm1").mean.numpy() - moving).max() > 0


@pytest.mark.parametrize("kind", ["uint8", "int64"])
def test_labels_may_be_any_integers(kind):
    inputs, query_y = batch()
    other = {**inputs, "support_y": np.asarray(inputs["support_y"]).astype(kind)}
    learner = fomaml()
    found = learner.meta_gradients((other, np.asarray(query_y).astype(kind)))
    np.testing.assert_array_equal(flat(found), flat(learner.meta_gradients((inputs, query_y))))


def test_labels_that_are_no_integers_are_refused():
    inputs, query_y = batch()
    with pytest.raises(TypeError, match="query_y float32"):
        fomaml().meta_gradients((inputs, np.asarray(query_y).astype("float32")))


def test_what_is_no_batch_of_tasks_is_refused():
    inputs, labels = batch()
    with pytest.raises(TypeError, match="A batch of tasks must be"):
        to_episodes(inputs)
    with pytest.raises(ValueError, match=r"lacks \['query_x'\]"):
        to_episodes(({n: v for n, v in inputs.items() if n != "query_x"}, labels))
    with pytest.raises(ValueError, match="Expected support_x"):
        to_episodes(({**inputs, "support_y": inputs["support_y"][:, :-1]}, labels))
    with pytest.raises(ValueError, match="Expected support_x"):
        to_episodes((inputs, labels[:1]))


def test_tasks_without_an_index_are_numbered():
    inputs, labels = batch(3)
    del inputs["index"]
    np.testing.assert_array_equal(to_episodes((inputs, labels)).index, [0, 1, 2])


def test_the_state_before_adaptation_is_the_start():
    learner = scatter(ANIL(smooth_mlp()))
    episode = task(batch())
    state = adapted(learner, episode, steps=0)
    assert set(state) == {"head_kernel", "head_bias", "classes"}
    for name in ("head_kernel", "head_bias"):
        np.testing.assert_array_equal(state[name], theta(learner)[name])


def test_steps_one_by_one_equal_steps_at_once():
    learner, episode = scatter(MAML(smooth_mlp(), inner_steps=3)), task(batch())
    state = learner.initial_state()
    for _ in range(3):
        state = adapted(learner, episode, 1, state)
    at_once = adapted(learner, episode)
    np.testing.assert_array_equal(flat(state.values()), flat(at_once.values()))
