import pytest

from tests.helpers.short_training import learner, train
from tfmgaug.callbacks import Checkpoint, FiniteLoss, NonFiniteError


def test_training_that_diverges_stops_and_names_the_step(tmp_path):
    model = learner(learning_rate=float("inf"))
    with pytest.raises(NonFiniteError, match="outer step 2.*lower outer learning rate"):
        train(model, [FiniteLoss(), Checkpoint(tmp_path)], epochs=1)
    assert not list(tmp_path.iterdir())


def test_training_that_converges_is_left_alone():
    history = train(learner(), [FiniteLoss()], epochs=1, validate=False).history
    assert len(history["loss"]) == 1
