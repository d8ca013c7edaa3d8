"""What a batch of tasks must look like, checked before TensorFlow sees it."""

import tensorflow as tf

from tfmgaug.episode import Episode

_KEYS = ("support_x", "support_y", "query_x")


def to_episodes(data, classification=False):
    """Reads a batch of tasks as `fit` receives it.

    Args:
        data: `({"support_x", "support_y", "query_x", "index"}, query_y)`, each with a leading task
            axis. Without "index", tasks are numbered from 0.
        classification: whether targets must be integer labels, which come back as int32.

    Returns:
        An `Episode` of tensors with a leading task axis.

    Raises:
        TypeError: it is no such pair, or labels are no integers.
        ValueError: something is missing, or the shapes do not fit together.
    """
    if not (isinstance(data, (tuple, list)) and len(data) == 2 and isinstance(data[0], dict)):
        raise TypeError(
            'A batch of tasks must be ({"support_x", "support_y", "query_x", "index"}, query_y). '
            f"Received: {type(data).__name__}."
        )
    inputs, query_y = data
    missing = [name for name in _KEYS if name not in inputs]
    if missing:
        raise ValueError(f"The batch lacks {missing}. Received: {sorted(inputs)}.")
    parts = [tf.convert_to_tensor(part) for part in (*(inputs[n] for n in _KEYS), query_y)]
    index = inputs.get("index")
    index = tf.range(tf.shape(query_y)[0]) if index is None else tf.convert_to_tensor(index)
    episodes = Episode(*parts, index=index)
    _check_shapes(episodes)
    return _with_integer_labels(episodes) if classification else episodes


def _with_integer_labels(episodes):
    support_y, query_y = episodes.support_y, episodes.query_y
    if not (support_y.dtype.is_integer and query_y.dtype.is_integer):
        raise TypeError(
            "Expected integer labels. "
            f"Received: support_y {support_y.dtype.name}, query_y {query_y.dtype.name}."
        )
    return episodes._replace(
        support_y=tf.cast(support_y, tf.int32), query_y=tf.cast(query_y, tf.int32)
    )


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
