"""Files that were saved before the parameters had names: order and places of variables stay."""

import pathlib

import keras
import numpy as np
import pytest

from tests.helpers.tasks import batch
from tests.suite_test import eagerly
from tfmgaug.learners import FOMAML, MetaTicket, Reptile

FILES = pathlib.Path(__file__).parent / "files"
# With a pruned magnitude mask and running statistics; with redrawn weights; with carried slots.
KINDS = {"fomaml": FOMAML, "meta_ticket": MetaTicket, "reptile": Reptile}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_the_first_engine_is_trained_on_as_it_was_then(name):
    learner = keras.saving.load_model(FILES / f"{name}.keras")
    assert type(learner) is KINDS[name]
    inputs, _ = batch(seed=3)
    with eagerly(), np.load(FILES / "predictions.npz") as expected:
        learner.train_step(batch(seed=2))  # which reads and moves masks, slots and statistics
        adapted = learner.adapt(inputs["support_x"][0], inputs["support_y"][0])
        found = adapted.predict(inputs["query_x"][0])
        np.testing.assert_allclose(found, expected[name], rtol=1e-5, atol=1e-6)
    assert int(learner.step.numpy()) == 3
