"""The check of batches of tasks."""

from typing import Any

import tensorflow as tf

from tfmgaug.episode import Episode
from tfmgaug.learners import labels

_KEYS = ("support_x", "support_y", "query_x")


def to_episodes(data: Any, classification: bool = False, way: int | None = None) -> Episode:
    """Reads a batch of tasks as `fit` receives it.

    Args:
        data: `({"support_x", "support_y", "query_x", "index"}, query_y)`, each with a leading task
            axis. Without "index", tasks are numbered from 0.
        classification: whether targets must be integer labels, which come back as int32. Outside of
            a graph they are checked; within one, `checked_tasks` has done so before.
        way: int, the number of outputs; None where the support set decides.

    Returns:
        An `Episode` of tensors with a leading task axis.

    Raises:
        TypeError: it is no such pair, or labels are no integers.
        ValueError: something is missing, the shapes do not fit together, a label is out of range or
            of a class without support, or there are weights.
    """
    inputs, query_y = _pair(data)
    parts = {**_tensors(inputs), "query_y": _tensor("query_y", query_y)}
    if inputs.get("index") is None:
        parts["index"] = tf.range(tf.shape(parts["query_y"])[0])
    else:
        parts["index"] = _tensor("index", inputs["index"])
    episodes = Episode(**parts)
    _check_shapes(episodes)
    return _with_integer_labels(episodes, way) if classification else episodes


def checked_tasks(data: Any, classification: bool, way: int | None) -> Any:
    """Puts a batch of tasks behind the checks that its labels need, for a pipeline to run.

    Args:
        data: as in `to_episodes`.
        classification: whether targets must be integer labels.
        way: as in `to_episodes`.

    Returns:
        The same batch, `(inputs, query_y)`.

    Raises:
        TypeError, ValueError: as in `to_episodes`.
    """
    to_episodes(data, classification, way)
    inputs, query_y = _pair(data)
    if not classification or tf.executing_eagerly():
        return inputs, query_y
    support_y, query_y = labels.checked(inputs["support_y"], query_y, way)
    return {**inputs, "support_y": support_y}, query_y


def checked_inputs(inputs: Any, classification: bool, way: int | None) -> Any:
    """Puts tasks without their queries' labels behind checks, as `checked_tasks`.

    Args:
        inputs: as in `to_inputs`.
        classification: whether targets must be integer labels.
        way: as in `to_episodes`.

    Returns:
        The same dictionary.

    Raises:
        TypeError, ValueError: as in `to_inputs`.
    """
    to_inputs(inputs, classification, way)
    if not classification or tf.executing_eagerly():
        return inputs
    return {**inputs, "support_y": labels.checked(inputs["support_y"], None, way)[0]}


def to_inputs(
    inputs: Any, classification: bool, way: int | None
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads what a learner is called with: tasks whose queries' labels are not known.

    Args:
        inputs: `{"support_x", "support_y", "query_x"}`, each with a leading task axis.
        classification: as in `to_episodes`.
        way: as in `to_episodes`.

    Returns:
        The three tensors, labels as int32.

    Raises:
        TypeError: it is no such dictionary, or labels are no integers.
        ValueError: something is missing, or a label is out of range.
    """
    if not isinstance(inputs, dict):
        raise TypeError(
            'A learner is called with tasks, {"support_x", "support_y", "query_x"}: to predict new '
            "examples, adapt it first, `learner.adapt(support_x, support_y).predict(query_x)`. "
            f"Received: {type(inputs).__name__}."
        )
    parts = _tensors(inputs)
    if classification:
        _check_integers(support_y=parts["support_y"])
        if tf.executing_eagerly():
            labels.checked(parts["support_y"], None, way)
        parts["support_y"] = labels.as_int32(parts["support_y"])
    return tuple(parts.values())


def refuse_weights(**weights: Any) -> None:
    """Refuses weights of examples or classes.

    Raises:
        ValueError: a weight is given.
    """
    received = [name for name, value in weights.items() if value is not None]
    if received:
        raise ValueError(
            "Meta-learners weigh all tasks and examples alike, and a class has no weight where "
            "labels are drawn anew for each task: leave the weights away, or draw more of what "
            f"counts more. Received: {', '.join(received)}."
        )


def _pair(data):
    if isinstance(data, (tuple, list)) and len(data) == 3:
        refuse_weights(sample_weight=data[2])
        data = data[:2]
    if not (isinstance(data, (tuple, list)) and len(data) == 2 and isinstance(data[0], dict)):
        raise TypeError(
            'A batch of tasks must be ({"support_x", "support_y", "query_x", "index"}, query_y). '
            f"Received: {type(data).__name__}."
        )
    return data


def _tensors(inputs):
    missing = [name for name in _KEYS if name not in inputs]
    if missing:
        raise ValueError(f"The batch lacks {missing}. Received: {sorted(inputs)}.")
    return {name: _tensor(name, inputs[name]) for name in _KEYS}


def _tensor(name, value):
    try:
        if not isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
            return tf.convert_to_tensor(value)
    except (TypeError, ValueError):
        pass  # a list of lists of other lengths, which the error below names
    raise ValueError(
        f"Expected `{name}` as an array: the tasks of a batch have equally many examples of one "
        "shape. Put tasks that differ into batches of their own. Received: "
        f"{type(value).__name__}, which is ragged, sparse or no array."
    )


def _with_integer_labels(episodes, way):
    support_y, query_y = episodes.support_y, episodes.query_y
    _check_integers(support_y=support_y, query_y=query_y)
    for name, part in (("support_y", support_y), ("query_y", query_y)):
        if part.shape.rank not in (None, 2):
            raise ValueError(
                f"Expected integer labels [tasks, examples]. Received: {name} {tuple(part.shape)}."
            )
    if tf.executing_eagerly():
        labels.checked(support_y, query_y, way)
    return episodes._replace(support_y=labels.as_int32(support_y), query_y=labels.as_int32(query_y))


def _check_integers(**parts):
    if not all(part.dtype.is_integer for part in parts.values()):
        received = ", ".join(f"{name} {part.dtype.name}" for name, part in parts.items())
        raise TypeError(f"Expected integer labels. Received: {received}.")


def _check_shapes(episodes):
    shapes = {name: part.shape for name, part in episodes._asdict().items()}
    fits = (
        all(shape[:1].is_compatible_with(shapes["query_y"][:1]) for shape in shapes.values())
        and shapes["support_x"][1:2].is_compatible_with(shapes["support_y"][1:2])
        and shapes["query_x"][1:2].is_compatible_with(shapes["query_y"][1:2])
        and shapes["support_x"][2:].is_compatible_with(shapes["query_x"][2:])
    )
    if not fits:
        raise ValueError(
            "Expected support_x [tasks, way * shot, ...], support_y [tasks, way * shot], query_x "
            "[tasks, way * query, ...], query_y [tasks, way * query], index [tasks]. Received: "
            + ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())
            + "."
        )
