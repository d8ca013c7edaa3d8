"""The generalization gap: training tasks against tasks of other classes."""

import keras
import tensorflow as tf

from tfmgaug.types import Logs

_METRICS = ("loss", "accuracy")


class GeneralizationGap(keras.callbacks.Callback):
    """Evaluates on frozen tasks of training classes and of test classes, after every epoch.

    The logs of training don't show the gap: training tasks may have other shots, and other inner
    steps. Put it before `Checkpoint` and `TensorBoard`, which write the logs that it adds:
    `training_classes_loss`, `training_classes_accuracy`, `test_classes_loss`,
    `test_classes_accuracy`.

    Args:
        training: `tf.data.Dataset` of batches of tasks of the training classes.
        test: the same of the test classes.

    Example:
        >>> gap = GeneralizationGap(seen.dataset(episodes=200), test.dataset(episodes=200))
        >>> learner.fit(..., callbacks=[gap, Checkpoint("runs/first")])

    Reference:
        Tian et al., Meta-Learning with Network Pruning, 2020, https://arxiv.org/abs/2007.03219,
        Figures 1 and 2.
    """

    def __init__(self, training: tf.data.Dataset, test: tf.data.Dataset) -> None:
        super().__init__()
        self._datasets = {"training_classes": training, "test_classes": test}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        for name, dataset in self._datasets.items():
            results = self.model.evaluate(dataset, verbose=0, return_dict=True)
            logs.update({f"{name}_{m}": results[m] for m in _METRICS if m in results})
