"""Metrics of a learner, as Keras's callbacks look for them."""

import keras
from keras.src.trainers.compile_utils import MetricsList  # callbacks look into no other list


class Tracker(keras.metrics.Mean):
    """A mean that says which way is better: `EarlyStopping("val_accuracy")` needs no mode."""

    def __init__(self, name):
        super().__init__(name)
        self._direction = "up" if name.startswith("accuracy") else "down"


class _Measures(MetricsList):
    def result(self):
        return self.get_result()


def as_compiled(trackers):
    """Returns trackers as Keras has the metrics that a model is compiled with."""
    return [_Measures(trackers, name="measures")] if trackers else []
