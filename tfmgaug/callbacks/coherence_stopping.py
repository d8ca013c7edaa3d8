"""Early stopping by coherence, which needs support sets alone."""

from collections.abc import Sequence
from typing import Any

import keras

from tfmgaug.analysis.loss_landscape.gradient_coherence import GradientCoherenceMeter
from tfmgaug.data.indexed import check_integer
from tfmgaug.types import Logs

MONITOR = "gradient_coherence"


class CoherenceStopping(keras.callbacks.EarlyStopping):
    """Stops training when the coherence of gradients has ceased to rise.

    At the end of every n-th epoch, `mean_{i != j} g_i . g_j` with `g_i = -dL_support_i/dtheta` is
    measured on the same tasks and added to the logs as `gradient_coherence`. Queries are never
    read. It is high where one step helps many tasks at once, which goes along with accuracy on new
    tasks.

    Args:
        sampler: of the tasks, as a rule of validation classes.
        tasks: int >= 2, tasks that coherence is measured on.
        every: int >= 1, epochs from one measurement to the next.
        patience: int >= 1, measurements without a higher coherence of gradients after which
            training stops.
        min_delta: float >= 0, by how much a value must be higher.
        restore_best_weights: whether to end with the weights of the highest value.
        history: rows of earlier epochs, as `restore` returns them, for a run that is resumed. Their
            weights are kept by `Checkpoint(..., monitor="gradient_coherence")`.

    Raises:
        ValueError: an argument is out of range, or there is a history and its best weights are to
            be restored; from `fit`, the learner has no inner steps.

    Example:
        >>> stopping = CoherenceStopping(validation_tasks, patience=5)
        >>> learner.fit(..., callbacks=[stopping])

    Reference:
        Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning, 2019,
        https://arxiv.org/abs/1907.07287, Section 5.3. (Stopping by it is ours.)
    """

    def __init__(
        self,
        sampler: Any,
        tasks: int = 60,
        every: int = 1,
        patience: int = 5,
        min_delta: float = 0.0,
        restore_best_weights: bool = True,
        history: Sequence[dict] = (),
    ) -> None:
        if history and restore_best_weights:
            raise ValueError(
                "The best weights of earlier epochs are not known here: pass "
                "restore_best_weights=False, and load those that `Checkpoint` keeps. "
                f"Received: a history of {len(history)} epochs."
            )
        super().__init__(
            MONITOR,
            min_delta,
            check_integer("patience", patience),
            mode="max",
            restore_best_weights=restore_best_weights,
        )
        self.sampler = sampler
        self.tasks = check_integer("tasks", tasks, minimum=2)
        self.every = check_integer("every", every)
        self.history = list(history)
        self._measuring: GradientCoherenceMeter | None = None
        self._made_for: tuple | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        made_for = (self.model, self.model.graph_key)
        if self._made_for != made_for:
            self._made_for = made_for
            self._measuring = GradientCoherenceMeter(self.model, self.sampler, self.tasks)
        for number, row in enumerate(self.history):
            if row.get(MONITOR) is not None:
                super().on_epoch_end(row.get("epoch", number), row)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if (epoch + 1) % self.every:
            return
        logs = {} if logs is None else logs
        logs[MONITOR] = self._measuring.measure()
        super().on_epoch_end(epoch, logs)
