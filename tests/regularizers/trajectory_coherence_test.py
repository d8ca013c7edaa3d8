import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.single_task import moved
from tests.helpers.tasks import batch, flat, regression, scatter, smooth_mlp, task, theta
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.engine import coupling
from tfmgaug.engine.params import replace, select
from tfmgaug.engine.task import TaskRun
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, MetaTicket, ProtoNet
from tfmgaug.learners.batches import to_episodes
from tfmgaug.masks import ParameterMask
from tfmgaug.regularizers import GradDrop, TrajectoryCoherence

STEP = 1e-5


def learner(*regularizers, kind=MAML, **options):
    settings = {"inner_steps": 2, "inner_learning_rate": 0.3, **options}
    return scatter(kind(smooth_mlp(), regularizers=regularizers, **settings))


def trajectories(pupil, data, weights=None):
    """The initial weights that adapt, and each task's adapted ones, as vectors `[weights]`."""
    with pupil.scope(theta(pupil) if weights is None else weights):
        runs = [TaskRun.of(pupil, task(data, number), ()) for number in range(len(data[1]))]
        start = pupil.initial_state()
        return flat(start.values()), [flat(run.descended[name] for name in start) for run in runs]


def mean_direction(pupil, data):
    initial, adapted = trajectories(pupil, data)
    return np.mean([(end - initial) / np.linalg.norm(end - initial) for end in adapted], axis=0)


def penalty(adapted, initial, mean):
    moved = adapted - initial
    return -(moved @ mean) / np.linalg.norm(moved)


def shaped(vector, pupil):
    start, parts, place = pupil.initial_state(), {}, 0
    for name, value in start.items():
        size = int(np.prod(value.shape))
        parts[name] = tf.constant(vector[place : place + size].reshape(value.shape))
        place += size
    return parts


def corrected_run(pupil, data, number, mean):
    episode = task(data, number)
    context = pupil.training_context(episode)
    return TaskRun(pupil, episode, context, {"0": shaped(mean, pupil)}, pupil.regularizers)


@pytest.mark.parametrize("kind", [MAML, FOMAML, ANIL, BOIL, MetaTicket])
def test_weights_move_by_gamma_against_the_slope_of_omega(kind):
    pupil, data = learner(TrajectoryCoherence(0.7), kind=kind), batch(3)
    mean = mean_direction(pupil, data)
    found = coupling.averages(pupil, to_episodes(data, classification=True))["0"]
    np.testing.assert_allclose(flat(found[name] for name in pupil.initial_state()), mean, rtol=1e-9)
    initial, adapted = trajectories(pupil, data)
    run = corrected_run(pupil, data, 1, mean)
    correction = flat(run.adapted[name] for name in pupil.initial_state()) - adapted[1]
    draws = np.random.default_rng(0)
    for _ in range(5):
        move = STEP * draws.normal(size=len(initial))
        ends = [penalty(adapted[1] + sign * move, initial, mean) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * STEP)
        np.testing.assert_allclose(correction @ move / STEP, -0.7 * slope, rtol=1e-5, atol=1e-9)
    assert np.linalg.norm(correction) > 1e-3


def objective(pupil, weights, data, mean):
    with pupil.scope(weights):
        runs = [corrected_run(pupil, data, number, mean) for number in range(len(data[1]))]
        return np.mean([float(run.plain_outcome.loss) for run in runs])


@pytest.mark.parametrize("statistics", ["transductive", "support"])
def test_second_order_meta_gradients_equal_finite_differences(statistics):
    pupil, data = learner(TrajectoryCoherence(0.5), statistics=statistics), batch(3)
    weights, gradients = theta(pupil), pupil.meta_gradients(data)
    mean = mean_direction(pupil, data)
    draws = np.random.default_rng(0)
    moves = {name: STEP * draws.normal(size=weight.shape) for name, weight in weights.items()}
    up, down = (moved(weights, moves, sign) for sign in (1, -1))
    difference = objective(pupil, up, data, mean) - objective(pupil, down, data, mean)
    slope = 2 * flat(gradients) @ flat(moves)
    np.testing.assert_allclose(slope / STEP, difference / STEP, rtol=1e-5, atol=1e-6)
    plain = learner(statistics=statistics).meta_gradients(data)
    assert np.abs(flat(gradients) - flat(plain)).max() > 1e-3


def test_the_first_order_meta_gradient_is_the_query_gradient_at_the_corrected_weights():
    pupil, data = learner(TrajectoryCoherence(0.5), kind=FOMAML), batch(2)
    mean, expected = mean_direction(pupil, data), []
    for number in range(2):
        run = corrected_run(pupil, data, number, mean)
        weights = select(run.adapted, pupil.network.variables)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            logits, _ = pupil.network(weights, run.episode.query_x, run.context)
            loss = pupil.outcome(logits, run.episode.query_y).loss
        expected.append(flat(tape.gradient(loss, weights)))
    found = flat(pupil.meta_gradients(data))
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-9, atol=1e-14)


def test_support_statistics_are_those_of_the_corrected_weights():
    pupil, data = learner(TrajectoryCoherence(0.5), statistics="support"), batch(2)
    run = corrected_run(pupil, data, 0, mean_direction(pupil, data))
    weights = replace(pupil.network.params, run.adapted)
    _, expected = pupil.network(weights, run.episode.support_x, run.context)
    found = select(run.adapted, expected)
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-12)
    before = select(run.descended, expected)
    assert np.abs(flat(found) - flat(before)).max() > 1e-4


@pytest.mark.parametrize("kind", [MAML, FOMAML, ANIL, BOIL, MetaTicket])
@pytest.mark.parametrize("statistics", ["transductive", "support"])
def test_without_gamma_it_is_the_plain_learner_bit_for_bit(kind, statistics):
    options = {"kind": kind, "statistics": statistics}
    with_it = learner(TrajectoryCoherence(0.0), **options).meta_gradients(batch(3))
    without = learner(**options).meta_gradients(batch(3))
    np.testing.assert_array_equal(flat(with_it), flat(without))


def test_tasks_that_do_not_move_are_left_where_they_are():
    still = learner(TrajectoryCoherence(0.5), inner_learning_rate=0.0)
    plain = learner(inner_learning_rate=0.0)
    np.testing.assert_array_equal(
        flat(still.meta_gradients(batch(2))), flat(plain.meta_gradients(batch(2)))
    )


def test_subnetworks_are_left_alone():
    def gradients(*regularizers):
        mgaug = MGAug(ParameterMask(0.3), subnetworks=1)
        pupil = learner(*regularizers, kind=FOMAML, augmentation=mgaug)
        return flat(pupil.meta_gradients(batch(2)))

    def full(*regularizers):
        return flat(learner(*regularizers, kind=FOMAML).meta_gradients(batch(2)))

    found = gradients(TrajectoryCoherence()) - full(TrajectoryCoherence())
    np.testing.assert_allclose(found, gradients() - full(), rtol=1e-9, atol=1e-13)


def test_the_first_pass_has_the_draws_of_the_second():
    class Seen(TrajectoryCoherence):
        def averaged(self, run):
            first.append(flat(run.descended.values()))
            return super().averaged(run)

        def correct(self, state, run):
            second.append(flat(state.values()))
            return super().correct(state, run)

    first, second = [], []
    tf.config.run_functions_eagerly(True)
    learner(GradDrop(0.3), Seen()).meta_gradients(batch(3))
    tf.config.run_functions_eagerly(False)
    np.testing.assert_array_equal(first, second)


def test_regressions_have_trajectories_too():
    backbone = mlp(1, (1,), hidden=(5,), normalization=False, dtype="float64")
    pupil = MAML(backbone, loss="mean_squared_error", regularizers=[TrajectoryCoherence()])
    assert np.isfinite(flat(pupil.meta_gradients(regression(2)))).all()


def test_bad_arguments_and_learners_are_refused():
    with pytest.raises(ValueError, match="must not be negative. Received: gamma=-1"):
        TrajectoryCoherence(-1)
    with pytest.raises(ValueError, match="before their masks are drawn"):
        TrajectoryCoherence(subnetworks=True)
    with pytest.raises(ValueError, match="without inner steps has none. Received: ProtoNet"):
        ProtoNet(smooth_mlp(way=None), regularizers=[TrajectoryCoherence()])
    with pytest.raises(ValueError, match="TrajectoryCoherence needs at least two tasks in a step"):
        learner(TrajectoryCoherence()).meta_gradients(batch(1))
