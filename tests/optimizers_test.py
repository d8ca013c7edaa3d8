"""Weight decay as an L2 penalty, against torch.optim.SGD's rule written out."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import WAY, batch, dataset
from tfmgaug.backbones import mlp
from tfmgaug.callbacks import DSD
from tfmgaug.learners import FOMAML, MetaTicket
from tfmgaug.masks import MagnitudeMask
from tfmgaug.optimizers import L2SGD

RATE, L2 = 0.1, 0.05
GRADIENTS = np.random.default_rng(0).normal(size=(6, 3, 2))


def torch_sgd(w, gradients, momentum, nesterov, clip=np.inf):
    """`g += l2 w; b = momentum b + g; w -= rate * (g + momentum b if nesterov else b)`."""
    buffer = np.zeros_like(w)
    for gradient in gradients:
        gradient = np.clip(gradient, -clip, clip) + L2 * w
        buffer = momentum * buffer + gradient
        w = w - RATE * (gradient + momentum * buffer if nesterov else buffer)
    return w


@pytest.mark.parametrize(
    ("momentum", "nesterov", "clip"),
    [(0.0, False, None), (0.9, False, None), (0.9, True, None), (0.9, True, 0.3)],
)
def test_weights_are_those_of_torch_sgd(momentum, nesterov, clip):
    w = tf.Variable(np.full((3, 2), 2.0))
    optimizer = L2SGD(RATE, l2=L2, momentum=momentum, nesterov=nesterov, clipvalue=clip)
    for gradient in GRADIENTS:
        optimizer.apply([tf.constant(gradient)], [w])
    expected = torch_sgd(np.full((3, 2), 2.0), GRADIENTS, momentum, nesterov, clip or np.inf)
    np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6)  # the rate is a float32


def test_without_decay_it_is_keras_s_sgd_and_it_is_built_again_from_its_configuration():
    options = {"momentum": 0.9, "nesterov": True}
    one, other = tf.Variable(GRADIENTS[0]), tf.Variable(GRADIENTS[0])
    for gradient in GRADIENTS:
        L2SGD(RATE, **options).apply([gradient], [one])
        keras.optimizers.SGD(RATE, **options).apply([gradient], [other])
    np.testing.assert_array_equal(one.numpy(), other.numpy())
    decaying = L2SGD(RATE, l2=L2, **options)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(decaying))
    assert isinstance(again, L2SGD)
    assert again.get_config() == decaying.get_config()


def train(learner, steps, l2, **options):
    learner.compile(L2SGD(RATE, l2=l2, momentum=0.9, nesterov=True))
    learner.fit(dataset(batch(), steps), verbose=0, **options)
    return learner


def net():
    return mlp(WAY, (4,), hidden=(6,), normalization=False)


def test_what_a_magnitude_mask_prunes_stays_zero_and_what_it_keeps_decays():
    def norms(l2):
        learner = FOMAML(net(), inner_steps=1, magnitude_mask=MagnitudeMask(0.5))
        train(learner, 6, l2, callbacks=[DSD(2, 3, retrain=False)])
        kernels = [v.numpy() for v in learner.backbone.trainable_variables if len(v.shape) > 1]
        masks = [mask.numpy() for mask in learner.magnitude_mask.masks]
        assert all((kernel[mask == 0] == 0).all() for kernel, mask in zip(kernels, masks))
        return [np.linalg.norm(kernel) for kernel in kernels]

    assert np.less(norms(0.5), norms(0.0)).all()


def test_the_scores_of_a_ticket_decay_and_its_weights_stay():
    tickets = [train(MetaTicket(net(), inner_steps=1), 5, l2) for l2 in (0.0, 0.5)]
    plain, decayed = ([v.numpy() for v in one.meta_variables] for one in tickets)
    assert plain
    assert all(np.linalg.norm(one) < np.linalg.norm(other) for one, other in zip(decayed, plain))
    weights = [[v.numpy() for v in one.backbone.trainable_variables] for one in tickets]
    for one, other in zip(*weights):
        np.testing.assert_array_equal(one, other)


def test_a_negative_penalty_is_refused():
    with pytest.raises(ValueError, match="`l2` must not be negative. Received: l2=-1.0"):
        L2SGD(l2=-1.0)
