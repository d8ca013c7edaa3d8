"""The means of what a learner measures, as Keras's metrics."""

from collections.abc import Iterable

import keras
import tensorflow as tf
from keras.src.trainers.compile_utils import MetricsList  # callbacks look into no other list


class Tracker(keras.metrics.Mean):
    """A mean that says which way is better: `EarlyStopping("val_accuracy")` needs no mode."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._direction = "up" if name.startswith("accuracy") else "down"


class Trackers(MetricsList):
    """The means of all that is measured, by name, as Keras has metrics that `compile` made.

    Args:
        names: of the measures; repeated ones count once.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name = {name: Tracker(name) for name in names}
        super().__init__(list(self._by_name.values()), name="measures")

    def track(self, measures: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Takes measures in, and returns their means so far."""
        for name, measured in measures.items():
            self._by_name[name].update_state(measured)
        trackers = {name: self._by_name[name] for name in measures}
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return {name: tracker.result() for name, tracker in trackers.items()}
        # Keras would average the replicas' means, of which some may be over fewer tasks.
        parts = [[t.total.value, t.count.value] for t in trackers.values()]
        sums = tf.distribute.get_replica_context().all_reduce("sum", tf.stack(parts))
        return dict(zip(trackers, tf.unstack(sums[:, 0] / sums[:, 1])))

    def result(self) -> dict[str, tf.Tensor]:
        """Returns the means so far, by name."""
        return self.get_result()
