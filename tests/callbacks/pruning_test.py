import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.callbacks.tensorboard_test import curve
from tests.helpers.short_training import STEPS, train
from tests.helpers.tasks import flat
from tfmgaug.backbones import mlp
from tfmgaug.callbacks import DSD, IHT, Checkpoint, PruningSchedule, TensorBoard, restore
from tfmgaug.engine.inner_optimizers import SGD
from tfmgaug.learners import FOMAML, Reptile
from tfmgaug.masks import MagnitudeMask


def learner(rates=0.5, kind=FOMAML, **options):
    backbone = mlp(way=3, input_shape=(8, 8, 1), hidden=(8,), seed=1)
    mask = None if rates is None else MagnitudeMask(rates)
    pupil = kind(backbone, inner_steps=2, magnitude_mask=mask, seed=3, **options)
    pupil.compile(keras.optimizers.Adam(0.05), run_eagerly=True)
    return pupil


def reptile(rates=0.5):
    return learner(
        rates, Reptile, carry_slots=True, parallel_tasks=1, inner_optimizer=SGD(0.9), inner_batch=2
    )


def kernels(pupil):
    return np.concatenate(
        [np.ravel(v) for v in pupil.backbone.trainable_variables if len(v.shape) > 1]
    )


class Record(keras.callbacks.Callback):
    """The kernels after every outer step."""

    def on_train_begin(self, logs=None):
        self.rows = [kernels(self.model)]

    def on_train_batch_end(self, batch, logs=None):
        self.rows.append(kernels(self.model))


# Phases.


@pytest.mark.parametrize(
    ("schedule", "sparse"),
    [
        (DSD(3, 4), {3, 4, 5, 6}),
        (DSD(0, 4), {0, 1, 2, 3}),
        (DSD(3, 4, retrain=False), set(range(3, 20))),
        (IHT(2, 3, 1, rounds=2), {2, 3, 4, 6, 7, 8}),
        (IHT(0, 3, 2, rounds=2), {0, 1, 2, 5, 6, 7}),
        (IHT(2, 3, 0, rounds=2), set(range(2, 20))),
        (PruningSchedule([]), set()),
    ],
)
def test_the_phase_follows_from_the_step(schedule, sparse):
    assert {step for step in range(20) if schedule.phase(step) % 2} == sparse


@pytest.mark.parametrize("make", [learner, reptile])
def test_pruned_entries_stay_zero_through_a_sparse_phase_and_move_in_the_next_dense_one(make):
    pupil, record = make(), Record()
    train(pupil, [IHT(2, 3, 2, rounds=2), record], epochs=4)
    rows = np.array(record.rows)
    assert (rows[:3] != 0).all()  # dense: after steps 0, 1 and 2
    for first, last in ((3, 5), (8, 10)):
        zero = rows[first] == 0
        assert zero.sum() == 8 * 64 // 2 + 24 // 2
        assert ((rows[first : last + 1] == 0) == zero).all()
        assert (rows[last + 1] != 0).mean() > 0.9  # moving again
    assert ((rows[3] == 0) != (rows[8] == 0)).any()  # another mask in the second round
    assert (rows[12] != 0).all()  # dense in the end


def test_without_pruning_it_is_plain_training_bit_for_bit():
    pruned = learner(0.0)
    train(pruned, [DSD(2, 3)], epochs=3)
    plain = learner(None)
    train(plain, [], epochs=3)
    for one, other in zip(pruned.backbone.weights, plain.backbone.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_mask_that_stays_on_holds_in_evaluation_and_a_released_one_does_not():
    sparse, dense = learner(), learner()
    train(sparse, [DSD(1, 2, retrain=False)], epochs=2)
    train(dense, [DSD(1, 2)], epochs=2)
    assert (kernels(sparse) == 0).mean() == 0.5
    assert (kernels(dense) != 0).all()
    x, y = np.zeros((3, 8, 8, 1), "uint8"), np.arange(3)
    adapted = sparse.adapt(x + np.arange(192).reshape(3, 8, 8, 1).astype("uint8"), y)
    state = flat(part for name, part in adapted.state.items() if "kernel" in name)
    assert (state == 0).mean() >= 0.5


def test_a_phase_begins_after_validation_has_seen_the_one_before():
    pupil, seen = learner(), []

    class Look(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.append((kernels(self.model) == 0).mean())

    train(pupil, [DSD(STEPS, STEPS), Look()], epochs=3)
    assert seen == [0.0, 0.5, 0.0]


# Resuming.


@pytest.mark.parametrize("make", [learner, reptile])
@pytest.mark.parametrize("schedule", [[2, 20], [STEPS, 20], [1, 1, 20]], ids=str)
def test_a_run_resumed_in_a_phase_ends_with_the_same_bits(make, schedule, tmp_path):
    whole = make()
    train(whole, [PruningSchedule(schedule), Checkpoint(tmp_path / "whole")], epochs=3)
    killed = make()
    train(killed, [PruningSchedule(schedule), Checkpoint(tmp_path / "killed")], epochs=1)
    resumed = make()
    epoch, history = restore(resumed, tmp_path / "killed")
    callbacks = [PruningSchedule(schedule), Checkpoint(tmp_path / "killed", history)]
    train(resumed, callbacks, epochs=3, epoch=epoch)
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(one, other, one.path)
    for one, other in zip(whole.optimizer.variables, resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other, one.path)


# What is shown and refused.


def test_the_schedule_shows_in_tensorboard(tmp_path):
    pupil = learner([0.5, 0.25])
    train(pupil, [DSD(STEPS, STEPS), TensorBoard(tmp_path)], epochs=3)
    steps, phases = curve(tmp_path / "train", "pruning/phase")
    assert (steps, phases) == ([STEPS, 2 * STEPS, 3 * STEPS], [0, 1, 2])
    _, shares = curve(tmp_path / "train", "pruning/sparsity")
    np.testing.assert_allclose(shares, [0, (256 + 6) / 536, 0], rtol=1e-6)
    *_, classifier = pupil.magnitude_mask.sparsity()
    _, shares = curve(tmp_path / "train", f"pruning/sparsity/{classifier}")
    assert shares == [0, 0.25, 0]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="DSD needs a learner with a magnitude mask.*FOMAML"):
        train(learner(None), [DSD(1, 1)], epochs=1)
    together = learner()
    together.compile(keras.optimizers.Adam(), steps_per_execution=2)
    with pytest.raises(ValueError, match=r"execution of 2 outer steps.*at steps \[3\]"):
        train(together, [DSD(2, 1)], epochs=1)
    wrong = [(DSD, (-1, 1)), (DSD, (1, 0)), (IHT, (1, 1, 1.5)), (IHT, (1, 1, 1, 0))]
    for kind, arguments in wrong:
        with pytest.raises(ValueError, match="must be an int >="):
            kind(*arguments)


def test_phases_are_saved_as_numbers():
    pupil = learner()
    train(pupil, [DSD(1, 1)], epochs=1)
    assert int(tf.convert_to_tensor(pupil.magnitude_mask.phase)) == 2
