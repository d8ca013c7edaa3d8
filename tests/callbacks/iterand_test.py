import keras
import numpy as np
import pytest

from tests.helpers.short_training import STEPS, sampler
from tests.helpers.short_training import learner as fomaml
from tests.helpers.tasks import flat
from tfmgaug.backbones import mlp
from tfmgaug.backbones.initializers import PositiveConstant, SignedConstant
from tfmgaug.callbacks import Checkpoint, IteRand, restore
from tfmgaug.learners import MetaTicket
from tfmgaug.masks import ScoreMask


def learner(hidden=(8,), sparsity=0.5, rate=1.0, seed=3, **options):
    backbone = mlp(way=3, input_shape=(8, 8, 1), hidden=hidden)
    ticket = MetaTicket(
        backbone, score_mask=ScoreMask(sparsity), inner_steps=1, seed=seed, **options
    )
    ticket.compile(keras.optimizers.SGD(rate), run_eagerly=True)
    return ticket


def kernels(ticket):
    return [v.numpy() for v in ticket.backbone.trainable_variables if len(v.shape) == 2]


def pruned(ticket):
    masks = [np.asarray(mask) == 0 for mask in ticket.score_mask.masks().values()]
    return [*masks, np.zeros((8, 3), bool)]  # the classifier's


def train(ticket, callbacks, epochs=1, epoch=0):
    ticket.fit(
        sampler().dataset(start=int(ticket.step) * sampler().tasks),
        steps_per_epoch=STEPS,
        initial_epoch=epoch,
        epochs=epochs,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return ticket


# One redraw.


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_pruned_weights_alone_are_drawn_anew_with_their_probability(share):
    ticket = learner(hidden=(100, 8))
    before, away = kernels(ticket), pruned(ticket)
    ticket.redraw_pruned(1, share)
    changed = [new != old for new, old in zip(kernels(ticket), before)]
    for one, other in zip(changed, away):
        assert not one[~other].any()
    # Four standard deviations of a share of 3200 entries.
    atol = 4 * np.sqrt(share * (1 - share) / np.sum(away[0]))
    np.testing.assert_allclose(np.mean(changed[0][away[0]]), share, atol=atol)
    assert (pruned(ticket)[0] == away[0]).all()


def test_new_weights_come_from_the_old_distribution():
    ticket = learner(hidden=(100, 8))
    ticket.redraw_pruned(1)
    drawn = kernels(ticket)[0][pruned(ticket)[0]]
    deviation = np.sqrt(2 / 64)
    np.testing.assert_allclose(drawn.std(), deviation, rtol=0.06)
    assert abs(drawn.mean()) < 4 * deviation / np.sqrt(drawn.size)
    signed = learner(weight_initializer=SignedConstant())
    signed.redraw_pruned(1)
    assert len(np.unique(np.abs(kernels(signed)[0]))) == 1


def test_a_redraw_depends_on_its_number_and_the_seed_alone():
    def redrawn(number, earlier=(), seed=3):
        ticket = learner(seed=seed)
        for one in (*earlier, number):
            ticket.redraw_pruned(one)
        return kernels(ticket)[0]

    np.testing.assert_array_equal(redrawn(2), redrawn(2, earlier=(1, 5)))
    assert (redrawn(2) != redrawn(3)).any()
    assert (redrawn(2) != redrawn(2, seed=4)).any()


def test_the_last_number_is_remembered():
    ticket = learner()
    for number in (3, 1):
        ticket.redraw_pruned(number)
    assert int(ticket.redraws) == 3


# In training.


def test_weights_are_redrawn_every_so_many_steps():
    class Noted(IteRand):
        def draw(self, learner, number):
            redraws.append((int(learner.step), number, self.share))
            return super().draw(learner, number)

    ticket, callback, redraws = learner(), Noted(every=2, share=0.5), []
    callback.set_model(ticket)
    callback.on_train_begin()
    for batch in range(7):
        ticket.step.assign_add(1)
        callback.on_train_batch_end(batch)
    ticket.step.assign_add(4)  # in one execution
    callback.on_train_batch_end(7)
    assert redraws == [(2, 1, 0.5), (4, 2, 0.5), (6, 3, 0.5), (11, 5, 0.5)]


def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(tmp_path):
    whole = train(learner(), [IteRand(2), Checkpoint(tmp_path / "whole")], epochs=3)
    train(learner(), [IteRand(2), Checkpoint(tmp_path / "killed")], epochs=2)
    resumed = learner()
    epoch, history = restore(resumed, tmp_path / "killed")
    assert int(resumed.redraws) == 3
    train(resumed, [IteRand(2), Checkpoint(tmp_path / "killed", history)], epochs=3, epoch=epoch)
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(one.value, other.value, one.path)
    assert int(whole.redraws) == 4
    assert (flat(kernels(learner())) != flat(kernels(whole))).any()


def test_redrawn_weights_go_through_a_keras_file(tmp_path):
    ticket = train(learner(), [IteRand(1)])
    ticket.save(tmp_path / "ticket.keras")
    loaded = keras.models.load_model(tmp_path / "ticket.keras")
    for one, other in zip(ticket.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one.value, other.value, one.path)
    assert (kernels(ticket)[0] != kernels(learner())[0]).any()


# What is refused.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "`every` must be an int >= 1"),
        ({"every": 2.5}, "`every` must be an int >= 1"),
        ({"share": 0.0}, "`share` must be above 0"),
        ({"share": 1.1}, "`share` must be above 0 and at most 1"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        IteRand(**options)


def test_learned_weights_and_constants_can_not_be_redrawn():
    with pytest.raises(
        TypeError, match="Expected a MetaTicket, whose random weights.*Received: FOMAML"
    ):
        train(fomaml(), [IteRand()])
    with pytest.raises(ValueError, match="another draw changes. Received: PositiveConstant"):
        train(learner(weight_initializer=PositiveConstant()), [IteRand()])
