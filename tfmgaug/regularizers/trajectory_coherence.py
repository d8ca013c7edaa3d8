"""Trajectory coherence: inner updates turned toward the mean direction of the tasks."""

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.engine.task import TaskRun
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner


@keras.saving.register_keras_serializable("tfmgaug")
class TrajectoryCoherence(Regularizer):
    """Regularized MAML: turns the inner updates of a batch of tasks toward their mean direction.

    With `u_i = (theta'_i - theta) / |theta'_i - theta|` and `mu` the mean of `u_i` over the tasks
    of the batch, of all replicas, the penalty is `Omega_i = -u_i . mu`, and the query loss is taken
    at

    `theta''_i = theta'_i - gamma * dOmega_i/dtheta'_i
    = theta'_i + gamma * (mu - u_i (u_i . mu)) / |theta'_i - theta|`.

    The outer loss has no penalty. `mu` is a constant, found by a first pass over the batch; the
    rest is differentiated as the learner differentiates its inner steps. A task that doesn't move
    has no direction: it is not turned, and adds nothing to `mu`.

    Args:
        gamma: float >= 0, factor of the step toward the mean direction. The paper has 0.5. It is
            the longer the shorter the trajectory is.
        subnetworks: False. Sub-networks are left alone: nobody knows their trajectories in the
            first pass, since their masks are drawn in the second.

    Raises:
        ValueError: an argument is out of range, or the learner has no inner steps; in training, if
            there is a single task in a step.

    Example:
        >>> MAML(backbone, regularizers=[TrajectoryCoherence(gamma=0.5)])

    Reference:
        Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning, 2019,
        https://arxiv.org/abs/1907.07287, Algorithm 1. (The paper doesn't say whether it holds `mu`
        constant.)
    """

    def __init__(self, gamma: float = 0.5, subnetworks: bool = False) -> None:
        super().__init__(subnetworks)
        if subnetworks:
            raise ValueError(
                "TrajectoryCoherence can't act on sub-networks: it compares the trajectories of "
                "all tasks before their masks are drawn. Received: subnetworks=True."
            )
        if not gamma >= 0:
            raise ValueError(f"`gamma` must not be negative. Received: gamma={gamma}.")
        self.gamma = gamma

    def attach(self, learner: Learner) -> None:
        if learner.inner_steps == 0:
            raise ValueError(
                "TrajectoryCoherence turns trajectories of inner steps, and a learner without "
                f"inner steps has none. Received: {type(learner).__name__}."
            )

    def averaged(self, run: TaskRun) -> Params:
        return _direction(run)[0]

    def correct(self, state: Params, run: TaskRun) -> Params:
        if self.gamma == 0:
            return state
        direction, inverse_norm = _direction(run)
        mean = run.coupling(self)
        cosine = _dot(direction, mean)
        turned = {
            name: state[name] + self.gamma * inverse_norm * (mean[name] - u * cosine)
            for name, u in direction.items()
        }
        return {**state, **turned}


def _direction(run: TaskRun) -> tuple[Params, tf.Tensor]:
    """Returns the unit vector of a task's trajectory, and one over the length of the trajectory."""
    initial = run.learner.network.weights_of(run.learner.initial_state())
    moved = {name: run.descended[name] - weight for name, weight in initial.items()}
    if not run.learner.second_order:
        # It is a sum of constant gradients, and `+ weight - weight` would leave rounding errors.
        moved = {name: tf.stop_gradient(part) for name, part in moved.items()}
    squared = _dot(moved, moved)
    # Divided by one where the length is zero: the gradient of a root has no value there.
    somewhere = squared > 0
    inverse_norm = tf.where(somewhere, tf.math.rsqrt(tf.where(somewhere, squared, 1)), 0)
    return {name: inverse_norm * part for name, part in moved.items()}, inverse_norm


def _dot(left: Params, right: Params) -> tf.Tensor:
    return tf.add_n([tf.reduce_sum(part * right[name]) for name, part in left.items()])
