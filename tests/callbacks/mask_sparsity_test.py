import json

import numpy as np
import pytest

from tests.callbacks.iterand_test import learner, train
from tests.callbacks.tensorboard_test import curve
from tests.helpers.short_training import learner as fomaml
from tfmgaug.callbacks import Checkpoint, MaskSparsity, TensorBoard


def test_history_and_tensorboard_have_a_tickets_sparsity_of_every_epoch(tmp_path):
    ticket, seen = learner(rate=20.0), []
    own = ticket.mask_sparsity

    def watched():
        seen.append(own())
        return seen[-1]

    ticket.mask_sparsity = watched
    callbacks = [MaskSparsity(), Checkpoint(tmp_path), TensorBoard(tmp_path / "events")]
    train(ticket, callbacks, epochs=3)
    history = json.loads((tmp_path / "history.json").read_text())
    found = [row["mask_sparsity/dense1_kernel"] for row in history]
    assert found[-1] == 1 - np.mean(ticket.score_mask.masks()["dense1_kernel"])
    assert len(set(found)) == 3
    assert found == list(dict.fromkeys(one["dense1_kernel"] for one in seen[1:]))
    _, values = curve(tmp_path / "events" / "train", "mask_sparsity/dense1_kernel")
    np.testing.assert_allclose(values, found, rtol=1e-6)


def test_a_learner_without_a_mask_is_refused():
    callback = MaskSparsity()
    callback.set_model(fomaml())
    with pytest.raises(ValueError, match="FOMAML without a mask"):
        callback.on_train_begin()
