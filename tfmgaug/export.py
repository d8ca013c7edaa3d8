"""A SavedModel that adapts itself, and needs nothing but TensorFlow."""

import os
import pathlib
import shutil

import tensorflow as tf

from tfmgaug import batch_statistics


def export(
    learner,
    path: str | os.PathLike,
    statistics: str = "support",
    image_shape: tuple[int, int, int] | None = None,
    overwrite: bool = False,
) -> pathlib.Path:
    """Writes a learner as a SavedModel with three signatures.

    - `adapt`: `support_x`, `support_y` → the adapted state, a dictionary of tensors
    - `predict`: that state by the same names, and `query_x` → `probabilities`
    - `adapt_and_predict`: `support_x`, `support_y`, `query_x` → `probabilities`

    `support_x` and `query_x` are float32 raw images in 0-255 `[n, height, width, channels]` of any
    height and width: they are resized (bilinear, antialiased, aspect ratio not kept) to the size
    that the learner was trained with. `support_y` is int32 `[n]`, labels from 0. Numbers of shots
    and queries are free, and so is the number of classes up to the trained way; labels beyond it
    raise `InvalidArgumentError`. `probabilities` is float32 `[n, way]`, 0 for classes without
    support images. For regression `support_x` and `query_x` are `[n, features]`, `support_y` is
    float32 `[n, outputs]`, and the output is named `values`.

    It loads with `tf.saved_model.load` where neither this package nor Keras is installed.

    Args:
        learner: a `MetaLearner`.
        path: the folder to write. It appears there whole, or not at all.
        statistics: what batch normalization uses for queries, see `tfmgaug.batch_statistics`. The
            default predicts each query alone, as a deployed model must.
        image_shape: (height, width, channels) that images are resized to; by default what the
            backbone was made for.
        overwrite: whether to replace a SavedModel at `path`.

    Returns:
        The path.

    Raises:
        FileExistsError: if there is something at `path`, and `overwrite` is false or it is no
            SavedModel.
        ValueError: if `statistics` is unknown, or `image_shape` doesn't fit the backbone.

    Example:
        >>> export(learner, "export")
        >>> model = tf.saved_model.load("export")
        >>> state = model.signatures["adapt"](support_x=..., support_y=...)
        >>> model.signatures["predict"](query_x=..., **state)["probabilities"]
    """
    batch_statistics.check_mode(statistics)
    path = pathlib.Path(path)
    _check_free(path, overwrite)
    shape = _example_shape(learner, image_shape)
    module, signatures = _signatures(learner, statistics, shape)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        tf.saved_model.save(module, str(temporary), signatures=signatures)
        _replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return path


def _check_free(path: pathlib.Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not overwrite:
        raise FileExistsError(f"{path} exists. Choose another path, or pass overwrite=True.")
    if not (path / "saved_model.pb").is_file():
        raise FileExistsError(f"{path} is no SavedModel and is not replaced: remove it yourself.")


def _replace(temporary: pathlib.Path, path: pathlib.Path) -> None:
    # A folder that isn't empty can't be replaced in one go: the old one steps aside first.
    old = path.with_name(f".{os.getpid()}.{path.name}.old")
    if path.exists():
        os.replace(path, old)
    os.replace(temporary, path)
    shutil.rmtree(old, ignore_errors=True)


def _example_shape(learner, image_shape) -> tuple[int, ...]:
    accepted = tuple(learner.example_shape)
    shape = tuple(learner.image_shape if image_shape is None else image_shape)
    fits = len(shape) == len(accepted) and all(
        one in (None, other) for one, other in zip(accepted, shape)
    )
    if not fits or None in shape:
        raise ValueError(
            f"`image_shape` must give every size of the backbone's inputs, {accepted}. "
            f"Received: image_shape={shape}."
        )
    return shape


def _signatures(learner, statistics: str, shape: tuple[int, ...]):
    """A module that owns the variables, and the three functions over it."""
    output = "probabilities" if learner.classification else "values"
    support_x, query_x = (_inputs(shape, name) for name in ("support_x", "query_x"))
    support_y = (
        tf.TensorSpec([None], tf.int32, "support_y")
        if learner.classification
        else tf.TensorSpec([None, learner.backbone.output_shape[-1]], tf.float32, "support_y")
    )

    def state_of(support_x, support_y):
        support_y = _checked(learner, support_x, support_y)
        return learner.adapted_state(_sized(support_x, shape), support_y, statistics)

    def predictions(state, query_x):
        return {output: learner.probabilities(state, _sized(query_x, shape), statistics)}

    adapt = tf.function(state_of, input_signature=[support_x, support_y], autograph=False)
    state = adapt.get_concrete_function().structured_outputs
    predict = tf.function(
        lambda query_x, **state: predictions(state, query_x), autograph=False
    ).get_concrete_function(
        query_x=query_x,
        **{name: tf.TensorSpec(value.shape, value.dtype, name) for name, value in state.items()},
    )
    both = tf.function(
        lambda support_x, support_y, query_x: predictions(state_of(support_x, support_y), query_x),
        input_signature=[support_x, support_y, query_x],
        autograph=False,
    )
    module = tf.Module()
    module.kept = [variable.value for variable in learner.variables]
    layers = learner.backbone._flatten_layers(include_self=False)
    module.tables = [layer.lookup_table for layer in layers if hasattr(layer, "lookup_table")]
    return module, {"adapt": adapt, "predict": predict, "adapt_and_predict": both}


def _inputs(shape: tuple[int, ...], name: str) -> tf.TensorSpec:
    free = (None, None, shape[-1]) if len(shape) == 3 else shape
    return tf.TensorSpec([None, *free], tf.float32, name)


def _sized(x: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    if len(shape) != 3:
        return x
    return tf.image.resize(x, shape[:2], antialias=True)


def _checked(learner, support_x, support_y) -> tf.Tensor:
    """`support_y`, behind checks that run when the model does."""
    checks = [
        tf.debugging.assert_equal(
            tf.shape(support_x)[0],
            tf.shape(support_y)[0],
            "Expected as many rows in support_y as in support_x.",
        ),
        tf.debugging.assert_positive(
            tf.shape(support_y)[0], "Expected at least one example in support_x."
        ),
    ]
    if learner.classification:
        checks.append(
            tf.debugging.assert_non_negative(support_y, "Expected labels from 0 in support_y.")
        )
    if learner.classification and learner.way is not None:
        checks.append(
            tf.debugging.assert_less(
                support_y, learner.way, f"Expected labels below {learner.way} in support_y."
            )
        )
    # Without the dependency another operation may fail first, with a message that says less.
    with tf.control_dependencies(checks):
        return tf.identity(support_y)
