"""TensorBoard events of a meta-training run."""

import os
import pathlib
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tfmgaug.callbacks.finite import outer_step
from tfmgaug.episode import Episode
from tfmgaug.files import explained
from tfmgaug.types import Logs

_METRICS = ("loss", "accuracy")


class TensorBoard(keras.callbacks.Callback):
    """Writes TensorBoard events at the end of every epoch, over outer steps.

    Training and validation are two runs, `train` and `validation`, that share their tags:

    - `loss`, `accuracy` (after adaptation), `loss_before`, `accuracy_before`
    - `accuracy_per_step/k`, `loss_per_step/k`: validation after inner step k
    - `gap/loss`, `gap/accuracy`: how much better training tasks go than validation tasks
    - `learning_rate/outer`, `learning_rate/inner`, or one for each weight where they differ
    - `mask_sparsity/<layer>`: share of the entries that the sub-networks lack
    - `pruning/phase`, `pruning/sparsity`, `pruning/sparsity/<kernel>`: of a magnitude mask, the
      number of the schedule's phase (odd ones are sparse), and the share of entries that are zero
    - `episode`: the images of one episode; and the HParams of the run

    Args:
        log_dir: where to write.
        hparams: settings of the run for the HParams tab. A value that is not a number, string or
            boolean is written as text.
        episode: an `Episode` of images whose grid is shown.
        class_names: names of that episode's labels.

    Raises:
        OSError: from `fit`, if the events cannot be written; the text says why, and what to do.

    Example:
        >>> callback = TensorBoard("runs/first/events", hparams={"way": 5, "shot": 1})
        >>> learner.fit(..., callbacks=[callback])
    """

    def __init__(
        self,
        log_dir: str | os.PathLike,
        hparams: Mapping | None = None,
        episode: Episode | None = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.log_dir = pathlib.Path(log_dir)
        self.hparams = dict(hparams or {})
        self.episode = episode
        self.class_names = class_names

    def on_train_begin(self, logs: Logs = None) -> None:
        with explained(self.log_dir):
            self.log_dir.mkdir(parents=True, exist_ok=True)  # its error says more than TensorFlow's
            self._writers = {
                name: tf.summary.create_file_writer(str(self.log_dir / name))
                for name in ("train", "validation")
            }
            if self.hparams:
                self._write_hparams()
            if self.episode is not None:
                self._write_episode()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = {key: float(value) for key, value in (logs or {}).items()}
        step = outer_step(self.model)
        with explained(self.log_dir):
            self._write("train", step, self._training(logs))
            self._write("validation", step, _validation(logs))

    def on_train_end(self, logs: Logs = None) -> None:
        with explained(self.log_dir):
            if self.hparams:
                self._end_hparams()
            for writer in self._writers.values():
                writer.close()

    def _training(self, logs: dict[str, float]) -> dict[str, float]:
        learner = self.model
        training = {key: value for key, value in logs.items() if not key.startswith("val_")}
        return {
            **training,
            **_gaps(logs),
            "learning_rate/outer": float(tf.convert_to_tensor(learner.optimizer.learning_rate)),
            **_inner_rates(learner.inner_rates()),
            **{f"mask_sparsity/{layer}": share for layer, share in learner.mask_sparsity().items()},
            **_pruning(learner.magnitude_mask),
        }

    def _write(self, name: str, step: int, scalars: Mapping) -> None:
        with self._writers[name].as_default(step):
            for tag, value in scalars.items():
                tf.summary.scalar(tag, value)
        self._writers[name].flush()

    def _write_hparams(self) -> None:
        from tensorboard.plugins.hparams import api

        shown = [
            api.Metric(metric, group=group, display_name=f"{group} {metric}")
            for group in ("validation", "train")
            for metric in _METRICS
        ]
        plain = {key: _plain(value) for key, value in self.hparams.items()}
        self._root = tf.summary.create_file_writer(str(self.log_dir))
        with self._root.as_default(step=0):
            api.hparams_config([api.HParam(key) for key in plain], shown)
            api.hparams(plain)
        self._root.flush()

    def _end_hparams(self) -> None:
        from tensorboard.plugins.hparams import api_pb2, summary

        message = summary.session_end_pb(api_pb2.STATUS_SUCCESS).SerializeToString()
        with self._root.as_default(step=0):
            tf.summary.experimental.write_raw_pb(message)
        self._root.close()

    def _write_episode(self) -> None:
        from tfmgaug.figures import episode_grid

        figure = episode_grid(self.episode, self.class_names)
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[np.newaxis, ..., :3]
        with self._writers["train"].as_default(step=outer_step(self.model)):
            tf.summary.image("episode", pixels)


def _validation(logs: dict[str, float]) -> dict[str, float]:
    scalars = {key[4:]: value for key, value in logs.items() if key.startswith("val_")}
    for metric in _METRICS:
        for key in [key for key in scalars if key.startswith(f"{metric}_step_")]:
            step = key.removeprefix(f"{metric}_step_")
            scalars[f"{metric}_per_step/{step}"] = scalars.pop(key)
    return scalars


def _inner_rates(rates: Mapping) -> dict[str, float]:
    """One curve if all weights share a rate; a weight's mean where each entry has its own."""
    means = {f"learning_rate/inner/{name}": float(np.mean(rate)) for name, rate in rates.items()}
    if len(set(means.values())) == 1:
        return {"learning_rate/inner": next(iter(means.values()))}
    return means


def _pruning(mask) -> dict[str, float]:
    if mask is None:
        return {}
    kept, entries = mask.kept
    return {
        "pruning/phase": float(tf.convert_to_tensor(mask.phase)),
        "pruning/sparsity": 1 - kept / entries,
        **{f"pruning/sparsity/{kernel}": share for kernel, share in mask.sparsity().items()},
    }


def _gaps(logs: dict[str, float]) -> dict[str, float]:
    """Positive where validation tasks go worse: less accuracy, more loss."""
    signs = {"loss": -1.0, "accuracy": 1.0}
    return {
        f"gap/{metric}": sign * (logs[metric] - logs[f"val_{metric}"])
        for metric, sign in signs.items()
        if metric in logs and f"val_{metric}" in logs
    }


def _plain(value):
    return value if isinstance(value, bool | int | float | str) else str(value)
