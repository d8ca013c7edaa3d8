"""Task gradients of each layer, in the logs."""

from typing import Any

import keras

from tfmgaug.analysis import TaskGradients
from tfmgaug.types import Logs


class GradientNorms(keras.callbacks.Callback):
    """Adds to the logs of every n-th epoch the gradients that tasks start their adaptation with.

    The logs are called `gradient_norm/<weight>`, `gradient_mean_absolute/<weight>` (over all
    entries) and `gradient_mean_absolute_kept/<weight>` (over those that no mask prunes), means over
    the same tasks each time; see `tfmgaug.analysis.TaskGradients`. Put this callback before those
    that read logs (`Checkpoint`, `TensorBoard`). It holds nothing that a resumed run would miss.

    Args:
        sampler: `EpisodeSampler` or `SinusoidSampler` of the tasks, e.g. of validation.
        every: int >= 1, epochs: it measures after epochs `every`, `2 * every`, ...
        episodes: int >= 2, how many tasks, the sampler's first.

    Raises:
        ValueError: an argument is out of range; from `fit`, the learner takes no inner steps.

    Example:
        >>> learner.fit(..., callbacks=[GradientNorms(validation, every=10), Checkpoint("runs/a")])

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Figure 2.
    """

    def __init__(self, sampler: Any, every: int = 1, episodes: int = 40) -> None:
        super().__init__()
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"`every` must be an int >= 1. Received: every={every!r}.")
        self.sampler = sampler
        self.every = every
        self.episodes = episodes

    def on_train_begin(self, logs: Logs = None) -> None:
        self._measure = TaskGradients(self.model, self.sampler, self.episodes)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if (epoch + 1) % self.every:
            return
        report = self._measure()
        for measure in report.values:
            for weight in report.layers:
                mean = report.summary(measure, weight).mean
                logs[f"gradient_{measure}/{weight}"] = mean
