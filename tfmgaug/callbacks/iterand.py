"""IteRand: weights that a score mask prunes are drawn anew."""

import keras

from tfmgaug.callbacks.finite import outer_step
from tfmgaug.learners.meta_ticket import MetaTicket
from tfmgaug.types import Logs


class IteRand(keras.callbacks.Callback):
    """Draws pruned weights of a `MetaTicket` anew, every so many outer steps.

    After outer steps `every`, `2 * every`, ..., each weight that the score mask prunes is drawn
    again with probability `share`, from the distribution it came from; its score stays. Draws
    depend on nothing but the learner's seed and the step, so that a resumed run has the same.

    Args:
        every: int >= 1, outer steps between two redraws of pruned weights. (The paper's code:
            1000.)
        share: float in (0, 1], r, probability that a pruned weight is redrawn. (The paper's code:
            1.)

    Raises:
        TypeError: from `fit`, the learner is not a `MetaTicket`.
        ValueError: an argument is out of range; from `fit`, another draw would give the same
            weights.

    Example:
        >>> learner.fit(..., callbacks=[IteRand(every=1000, share=1.0)])

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Section 3.3.
        Chijiwa et al., IteRand, 2021, https://arxiv.org/abs/2106.09269, Algorithm 1.
    """

    def __init__(self, every: int = 1000, share: float = 1.0) -> None:
        super().__init__()
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"`every` must be an int >= 1. Received: every={every!r}.")
        if not 0 < share <= 1:
            raise ValueError(f"`share` must be above 0 and at most 1. Received: share={share}.")
        self.every = every
        self.share = share

    def on_train_begin(self, logs: Logs = None) -> None:
        if not isinstance(self.model, MetaTicket):
            raise TypeError(
                "Expected a MetaTicket, whose random weights IteRand draws anew. "
                f"Received: {type(self.model).__name__}."
            )
        if not self.model.weight_initializer.random:
            raise ValueError(
                "IteRand needs weights that another draw changes. "
                f"Received: {type(self.model.weight_initializer).__name__}."
            )
        self._number = self._redraws_due()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        # Several outer steps may have passed, if the learner takes some in one execution.
        if self._redraws_due() > self._number:
            self._number = self._redraws_due()
            drawn = self.draw(self.model, self._number)
            self.model.redraw_pruned(self._number, drawn=drawn)

    def draw(self, learner: MetaTicket, number: int) -> dict:
        """Draws what a redraw replaces weights by; override it to give your own.

        Args:
            learner: `MetaTicket`.
            number: int >= 1, which redraw this is.

        Returns:
            As `MetaTicket.draw_again`.
        """
        return learner.draw_again(number, self.share)

    def _redraws_due(self):
        return outer_step(self.model) // self.every
