"""The check of data that is handed to Keras's methods."""

import copy
import inspect
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfmgaug.learners import batches, labels


class CheckedData(keras.Model):
    """Checks what `fit`, `evaluate`, `predict` and their kin are given, to be inherited first.

    A training step is a graph that could refuse labels only by computing more. So a dataset is
    checked by its own pipeline, and what is at hand at once.
    """

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Trains; see `keras.Model.fit`.

        Args:
            *args: `x`, and so on.
            **kwargs: `steps_per_epoch`, `epochs`, `validation_data` and so on. There are no
                weights of examples or classes.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            TypeError: what is given is no batches of tasks.
            ValueError: there are weights, the dataset is endless and there is no number of steps,
                shapes do not fit, a label is out of range or of a class without support.
        """
        arguments = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments
        del arguments["self"]
        batches.refuse_weights(**{n: arguments.get(n) for n in ("sample_weight", "class_weight")})
        _refuse_endless(arguments.get("x"), arguments, "steps_per_epoch")
        arguments["x"] = _checked(arguments.get("x"), arguments.get("y"), self.checked_batch)
        if arguments.get("validation_data") is not None:
            arguments["validation_data"] = self._checked_validation(arguments)
        with labels.in_plain_words():
            return super().fit(**arguments)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluates; see `keras.Model.evaluate`, and `fit` for what is refused.

        Args:
            *args: `x`, and so on.
            **kwargs: `steps`, `return_dict` and so on.

        Returns:
            As `keras.Model.evaluate`.
        """
        if kwargs.get("_use_cached_eval_dataset"):  # by `fit`, which has checked it
            return super().evaluate(*args, **kwargs)
        arguments = inspect.signature(keras.Model.evaluate).bind(self, *args, **kwargs).arguments
        del arguments["self"]
        batches.refuse_weights(sample_weight=arguments.get("sample_weight"))
        _refuse_endless(arguments.get("x"), arguments, "steps")
        arguments["x"] = _checked(arguments.get("x"), arguments.get("y"), self.checked_tasks)
        with labels.in_plain_words():
            return super().evaluate(**arguments, **arguments.pop("kwargs", {}))

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Predicts the queries of tasks; see `keras.Model.predict`.

        Args:
            x: tasks, `{"support_x", "support_y", "query_x"}` with a leading task axis, or a dataset
                of them. (New examples: `adapt(support_x, support_y).predict(query_x)`.)
            *args: `batch_size`, and so on.
            **kwargs: `steps` and so on.

        Returns:
            Probabilities `[tasks, n, way]`, or values.
        """
        arguments = inspect.signature(keras.Model.predict).bind(self, x, *args, **kwargs).arguments
        del arguments["self"]
        _refuse_endless(x, arguments, "steps")
        arguments["x"] = _checked(x, None, self.checked_inputs)
        with labels.in_plain_words():
            return super().predict(**arguments)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Takes one outer step, as `fit` does for each batch; see `keras.Model.train_on_batch`."""
        batches.refuse_weights(sample_weight=sample_weight, class_weight=class_weight)
        self.checked_batch((x, y))
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluates one batch, as `evaluate` does; see `keras.Model.test_on_batch`."""
        batches.refuse_weights(sample_weight=sample_weight)
        self.checked_tasks((x, y))
        return super().test_on_batch(x, y, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Predicts the queries of one batch; see `predict`."""
        return super().predict_on_batch(self.checked_inputs(x))

    def __call__(self, inputs, *args, **kwargs):
        # Keras would wrap what `call` raises into an error of many lines.
        batches.to_inputs(inputs, self.classification, self.way)
        return super().__call__(inputs, *args, **kwargs)

    def checked_batch(self, data: Any) -> Any:
        """Checks a batch that is trained on, at once or, in a pipeline, when it runs."""
        return self.checked_tasks(data)

    def checked_tasks(self, data: Any) -> Any:
        """Checks a batch of tasks, `(inputs, query_y)`, likewise."""
        return batches.checked_tasks(data, self.classification, self.way)

    def checked_inputs(self, data: Any) -> Any:
        """Checks tasks whose queries' labels may be missing, `inputs` or `(inputs, ...)`."""
        inputs = data[0] if isinstance(data, (tuple, list)) and data else data
        return batches.checked_inputs(inputs, self.classification, self.way)

    def _checked_validation(self, arguments):
        data = arguments["validation_data"]
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        batches.refuse_weights(sample_weight=weights)
        _refuse_endless(x, arguments, "validation_steps")
        x = _checked(x, y, self.checked_tasks)
        return x if y is None else (x, y)


def _checked(x, y, check):
    """Puts data behind a check of each batch; of arrays, whose first axis is cut, of all at once.

    Args:
        x: whatever Keras takes.
        y: targets, where `x` doesn't bring them along.
        check: function from a batch to the same batch.

    Returns:
        Data like `x`.
    """
    if isinstance(x, tf.distribute.DistributedDataset):
        return x  # which has no place for a check
    if isinstance(x, tf.data.Dataset):
        # Made in the background, as what comes before.
        checked = x.map(tf.autograph.experimental.do_not_convert(_of_parts(check)))
        return checked.prefetch(1)
    if isinstance(x, keras.utils.PyDataset):
        return _checked_py_dataset(x, check)
    if hasattr(x, "__next__"):
        return (batch for batch in x if check(batch) is not None)
    check(x if y is None else (x, y))
    return x


def _of_parts(check):
    # A dataset hands over the parts of a tuple one by one.
    return lambda *parts: check(parts if len(parts) > 1 else parts[0])


def _checked_py_dataset(data, check):
    class Checked(type(data)):
        def __getitem__(self, index):
            batch = super().__getitem__(index)
            check(batch)
            return batch

    checked = copy.copy(data)
    checked.__class__ = Checked
    return checked


def _refuse_endless(x, arguments, steps):
    if not isinstance(x, tf.data.Dataset) or arguments.get(steps) is not None:
        return
    if x.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"The dataset has no end: say `{steps}`, or give a dataset of finite length, as "
            "`dataset(episodes=600)` of a sampler. "
            f"Received: an endless dataset and {steps}=None."
        )
