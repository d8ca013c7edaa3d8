"""Export of a learner as a SavedModel that adapts itself."""

import os
import pathlib
import shutil

import keras
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.files import explained
from tfmgaug.learners import labels
from tfmgaug.learners.examples import sized

# All that `tf.saved_model.save` writes into its folder.
_WRITTEN = ("assets", "fingerprint.pb", "saved_model.pb", "variables")


def export(
    learner: keras.Model,
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
    and queries are free, and so is the number of classes up to the trained way. `probabilities` is
    float32 `[n, way]`, 0 for classes without support images. For regression `support_x` and
    `query_x` are `[n, features]`, `support_y` is float32 of the shape of the backbone's outputs,
    and so is the output, which is named `values`.

    Labels that don't belong to the trained way (without one, from 10 000 on) and numbers that are
    not finite raise `InvalidArgumentError`: there is no prediction that they could have.

    It loads with `tf.saved_model.load` where neither this package nor Keras is installed.

    Args:
        learner: a `MetaLearner`.
        path: the folder to write. It appears there whole, or not at all. One that is replaced
            steps aside for a moment, as `.<name>.previous`: should the process end in that moment,
            the next export to `path` brings it back first.
        statistics: what batch normalization uses for queries, see `tfmgaug.batch_statistics`. The
            default predicts each query alone, as a deployed model must.
        image_shape: (height, width, channels) that images are resized to; by default what the
            backbone was made for.
        overwrite: whether to replace a SavedModel at `path`.

    Returns:
        The path.

    Raises:
        FileExistsError: if there is something at `path` and `overwrite` is false, or if it is not
            a SavedModel or holds other files too.
        OSError: if `path` cannot be written; the text says why, and what to do.
        ValueError: if `statistics` is unknown, or `image_shape` doesn't fit the backbone.

    Example:
        >>> export(learner, "export")
        >>> model = tf.saved_model.load("export")
        >>> state = model.signatures["adapt"](support_x=..., support_y=...)
        >>> model.signatures["predict"](query_x=..., **state)["probabilities"]
    """
    batch_statistics.check_mode(statistics)
    learner.refuse_other_layers()
    path = pathlib.Path(path)
    _recover(path)
    _check_free(path, overwrite)
    shape = _example_shape(learner, image_shape)
    module, signatures = _signatures(learner, statistics, shape)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    with explained(path):
        try:
            tf.saved_model.save(module, str(temporary), signatures=signatures)
            _flush(temporary)
            _replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return path


def _check_free(path: pathlib.Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not overwrite:
        raise FileExistsError(f"{path} exists. Choose another path, or pass overwrite=True.")
    if not _is_saved_model(path):
        raise FileExistsError(
            f"{path} is not a SavedModel and is not replaced. Remove it, or choose another path."
        )
    others = sorted(str(file) for file in _files(path) if not _is_written(file))
    if others:
        raise FileExistsError(
            f"{path} holds files that no export wrote, and is not replaced: {', '.join(others)}. "
            "Move them elsewhere, or choose another path."
        )


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    return [file.relative_to(folder) for file in folder.rglob("*") if not file.is_dir()]


def _is_written(file: pathlib.Path) -> bool:
    if file.parts[0] == "variables":
        return len(file.parts) == 2 and file.name.startswith("variables.")
    return file.parts[0] in _WRITTEN


def _is_saved_model(path: pathlib.Path) -> bool:
    return (path / "saved_model.pb").is_file()


def _replace(temporary: pathlib.Path, path: pathlib.Path) -> None:
    # A folder that isn't empty can't be replaced in one go: the old one steps aside first.
    if path.is_dir() and any(path.iterdir()):
        os.replace(path, _previous(path))
    try:
        os.replace(temporary, path)
    except BaseException:
        _recover(path)
        raise
    _recover(path)


def _recover(path: pathlib.Path) -> None:
    """Ends a replacement that was cut off: brings back what stepped aside, or removes it."""
    previous = _previous(path)
    if not _is_saved_model(previous):
        return
    if path.exists():
        shutil.rmtree(previous, ignore_errors=True)
    else:
        os.replace(previous, path)


def _previous(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f".{path.name}.previous")


def _flush(folder: pathlib.Path) -> None:
    # A power cut after the rename would otherwise leave files without their content.
    for file in _files(folder):
        with (folder / file).open("rb+") as opened:
            os.fsync(opened.fileno())


def _example_shape(learner, image_shape) -> tuple[int, ...]:
    accepted = tuple(learner.example_shape)
    shape = tuple(learner.image_shape if image_shape is None else image_shape)
    fits = len(shape) == len(accepted) and all(
        accepted_size in (None, size) for accepted_size, size in zip(accepted, shape)
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
        else tf.TensorSpec(learner.backbone.output_shape, tf.float32, "support_y")
    )

    def state_of(support_x, support_y):
        support_y = _checked(learner, support_x, support_y)
        support_x = _sized(_finite(support_x, "support_x"), shape)
        return learner.adapted_state(support_x, support_y, statistics)

    def predictions(state, query_x):
        query_x = _sized(_finite(query_x, "query_x"), shape)
        return {output: learner.probabilities(state, query_x, statistics)}

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
    return sized(x, shape[:2]) if len(shape) == 3 else x


def _finite(x: tf.Tensor, name: str) -> tf.Tensor:
    # ReLU and pooling would swallow NaN, and what comes out look like any prediction.
    return tf.debugging.assert_all_finite(x, f"Expected finite numbers in {name}")


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
    # Without the dependency another operation may fail first, with a message that says less.
    with tf.control_dependencies(checks):
        if not learner.classification:
            return _finite(tf.identity(support_y), "support_y")
        return labels.checked(support_y, None, learner.way)[0]
