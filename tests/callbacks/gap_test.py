import pytest

from tests.helpers.short_training import learner, sampler, train
from tfmgaug.callbacks import Checkpoint, GeneralizationGap


def test_both_accuracies_are_in_the_history_of_every_epoch(tmp_path):
    pupil = learner()
    seen, test = (sampler().dataset(start=start, episodes=4) for start in (0, 50))
    checkpoint = Checkpoint(tmp_path)
    train(pupil, [GeneralizationGap(seen, test), checkpoint], epochs=2)
    for name, dataset in (("training", seen), ("test", test)):
        expected = pupil.evaluate(dataset, return_dict=True, verbose=0)
        for metric in ("loss", "accuracy"):
            values = [row[f"{name}_classes_{metric}"] for row in checkpoint.history]
            assert len(values) == 2
            assert values[-1] == pytest.approx(expected[metric])
    assert checkpoint.history[0]["training_classes_loss"] != values[0]
    assert "val_accuracy" in checkpoint.history[0]
