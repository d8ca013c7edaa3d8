"""The sparsity of each layer, in the logs of every epoch."""

import keras

from tfmgaug.types import Logs


class MaskSparsity(keras.callbacks.Callback):
    """Adds to the logs of every epoch which share of each layer the learner's mask prunes.

    The logs are called `mask_sparsity/<weight>`. Put this callback before those that read logs
    (`Checkpoint`, `TensorBoard`).

    Raises:
        ValueError: from `fit`, the learner has no mask.

    Example:
        >>> learner.fit(..., callbacks=[MaskSparsity(), Checkpoint("runs/first")])
    """

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.model.mask_sparsity():
            raise ValueError(
                "MaskSparsity needs a learner whose weights are masked. "
                f"Received: {type(self.model).__name__} without a mask."
            )

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        for weight, share in self.model.mask_sparsity().items():
            logs[f"mask_sparsity/{weight}"] = share
