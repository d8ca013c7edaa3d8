"""DSD and IHT: schedules that switch a learner's magnitude mask on and off."""

import bisect
import itertools
from collections.abc import Sequence

import keras

from tfmgaug.callbacks.finite import outer_step
from tfmgaug.types import Logs


class PruningSchedule(keras.callbacks.Callback):
    """Alternates dense and sparse phases of a learner with a `MagnitudeMask`.

    At the start of a sparse phase the entries of smallest magnitude are set to zero, where they
    stay; at the start of a dense one they move again, from zero. A phase begins just before its
    first outer step, so that what follows a step (validation, checkpoints) sees the network that
    the step has trained. The phase depends on the learner's step alone, and the mask is saved with
    the learner, so that a run can be resumed in the middle of a phase.

    The last phase lasts until training ends; if it is sparse, the mask stays on in evaluation and
    export.

    Args:
        lengths: list of ints >= 0, outer steps of all phases but the last: dense, sparse, dense,
            ... An empty list never prunes.

    Raises:
        ValueError: a length is not an int >= 0; from `fit`, the learner has no magnitude mask, or
            takes several outer steps in one execution across the start of a phase.

    Example:
        >>> learner = MAML(backbone, magnitude_mask=MagnitudeMask(0.3))
        >>> learner.fit(..., callbacks=[PruningSchedule([100, 50, 20, 50])])
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        super().__init__()
        for length in lengths:
            _check_steps("a phase", length)
        self.starts = list(itertools.accumulate(lengths))

    def phase(self, step: int) -> int:
        """Returns the number of the phase of an outer step: even ones are dense, odd ones sparse.

        Args:
            step: int, outer steps taken before.
        """
        return bisect.bisect_right(self.starts, step)

    def on_train_begin(self, logs: Logs = None) -> None:
        if self.model.magnitude_mask is None:
            raise ValueError(
                f"{type(self).__name__} needs a learner with a magnitude mask: build it with "
                f"magnitude_mask=MagnitudeMask(...). Received: {type(self.model).__name__} without."
            )
        together = getattr(self.model, "steps_per_execution", None) or 1
        split = [start for start in self.starts if start % together]
        if split:
            raise ValueError(
                f"A phase must begin with an execution of {together} outer steps. "
                f"Received: phases that begin at steps {split}."
            )

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        mask, due = self.model.magnitude_mask, self.phase(outer_step(self.model))
        if due == outer_phase(self.model):
            return
        if due % 2:
            mask.prune()
        else:
            mask.release()
        mask.phase.assign(due)


class DSD(PruningSchedule):
    """Dense, sparse, dense: prunes once, and lets the network recover.

    Args:
        dense: int >= 0, outer steps of pre-training; 0 prunes the initialization.
        sparse: int >= 1, outer steps of the sparse network.
        retrain: True: what is left of training is dense. False: it is sparse too, and so is the
            network that comes of it (the paper's ablation).

    Raises:
        ValueError: as in `PruningSchedule`.

    Example:
        >>> learner.fit(..., callbacks=[DSD(dense=30_000, sparse=60_000)])

    Reference:
        Tian et al., Meta-Learning with Network Pruning, 2020, https://arxiv.org/abs/2007.03219,
        Section 4.2; Han et al., DSD, 2017, https://arxiv.org/abs/1607.04381.
    """

    def __init__(self, dense: int, sparse: int, retrain: bool = True) -> None:
        _check_steps("`sparse`", sparse, least=1)
        super().__init__([dense, sparse] if retrain else [dense])


class IHT(PruningSchedule):
    """Iterative hard thresholding: prunes again and again, and lets the network recover each time.

    After all rounds the network is dense, unless `retrain` is 0.

    Args:
        dense: int >= 0, outer steps of pre-training; 0 prunes the initialization.
        sparse: int >= 1, outer steps of the sparse network in each round.
        retrain: int >= 0, outer steps of the dense network in each round; 0 leaves the network
            sparse from the first round on (the paper's ablation).
        rounds: int >= 1, rounds of pruning and retraining.

    Raises:
        ValueError: as in `PruningSchedule`.

    Example:
        >>> learner.fit(..., callbacks=[IHT(dense=20_000, sparse=15_000, retrain=5_000, rounds=4)])

    Reference:
        Tian et al., Meta-Learning with Network Pruning, 2020, https://arxiv.org/abs/2007.03219,
        Section 4.2; Jin et al., 2016, https://arxiv.org/abs/1607.05423.
    """

    def __init__(self, dense: int, sparse: int, retrain: int, rounds: int = 4) -> None:
        _check_steps("`sparse`", sparse, least=1)
        _check_steps("`rounds`", rounds, least=1)
        lengths = [dense, *([sparse, retrain] * rounds)]
        # The last retraining takes what is left; without any, so does the last sparse phase.
        super().__init__(lengths[:-1] if retrain else lengths[:-2])


def outer_phase(learner: keras.Model) -> int:
    """Returns the number of the phase that a learner's magnitude mask was last set for."""
    # int() fails on a mirrored variable.
    return int(keras.ops.convert_to_numpy(learner.magnitude_mask.phase))


def _check_steps(name, steps, least=0):
    if not isinstance(steps, int) or steps < least:
        raise ValueError(f"{name} must be an int >= {least}. Received: {steps!r}.")
