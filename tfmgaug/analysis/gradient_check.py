"""The gradient check: meta-gradients against finite differences."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.engine import penalties, prediction
from tfmgaug.engine.batch import subnetworks_of
from tfmgaug.learners.batches import to_episodes
from tfmgaug.types import Learner

# Steps to try, and the relative error that rounding and curvature may leave.
_STEPS = {"float64": (1e-5, 1e-6, 1e-7, 1e-8), "float32": (1e-1, 3e-2, 1e-2, 3e-3)}
_TOLERANCE = {"float64": 1e-5, "float32": 2e-2}

_KINKED_ACTIVATIONS = {
    "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "relu", "relu6", "selu",
    "soft_shrink", "threshold",
}  # fmt: skip
_KINKED_LAYERS = (
    "GlobalMaxPooling2D", "LeakyReLU", "MaxPooling1D", "MaxPooling2D", "PReLU",
    "PooledBatchNormalization", "ReLU",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class GradientCheck:
    """Meta-gradients beside central finite differences, along random directions.

    Attributes:
        learner: class of the learner.
        dtype: of its weights.
        second_order: whether the gradients flow through the inner steps. If not, the differences
            hold the inner steps constant, as first-order learners do.
        subnetworks: number of sub-networks of a task whose meta-gradients are part of it.
        steps: sizes of the finite differences.
        slopes: of the meta-gradient along each direction, `[steps, directions]`. They differ over
            steps only by how the directions are rounded.
        differences: the finite differences, of the same shape.
        kinks: layers with kinks: ReLU, max pooling.
    """

    learner: str
    dtype: str
    second_order: bool
    subnetworks: int
    steps: tuple[float, ...]
    slopes: np.ndarray
    differences: np.ndarray
    kinks: tuple[str, ...]

    @property
    def relative_errors(self) -> np.ndarray:
        """|slope - difference| over the typical slope, `[steps, directions]`."""
        typical = np.sqrt(np.mean(np.maximum(self.slopes**2, self.differences**2)))
        return np.abs(self.slopes - self.differences) / (typical if typical > 0 else 1.0)

    @property
    def relative_error(self) -> float:
        """The median over directions, at the step where it is smallest.

        Large steps suffer from curvature, small ones from rounding; wrong gradients are wrong at
        all of them, and along all directions.
        """
        return float(np.median(self.relative_errors, axis=1).min())

    @property
    def tolerance(self) -> float:
        """What exact gradients stay below."""
        return _TOLERANCE[self.dtype]

    @property
    def passed(self) -> bool:
        """Whether the relative error is within the tolerance."""
        return self.relative_error <= self.tolerance

    def to_json(self) -> dict:
        """The check as a dictionary that `json.dumps` takes."""
        return {
            "learner": self.learner,
            "dtype": self.dtype,
            "second_order": self.second_order,
            "subnetworks": self.subnetworks,
            "passed": self.passed,
            "relative_error": self.relative_error,
            "tolerance": self.tolerance,
            "steps": list(self.steps),
            "slopes": self.slopes.tolist(),
            "differences": self.differences.tolist(),
            "kinks": list(self.kinks),
            "words": str(self),
        }

    def __str__(self) -> str:
        verdict = "agree with" if self.passed else "DIFFER from"
        parts = [
            f"{self.learner}: meta-gradients {verdict} central finite differences: relative error "
            f"{self.relative_error:.2g} (at most {self.tolerance:g} is expected in {self.dtype}), "
            f"median of {self.slopes.shape[1]} random directions."
        ]
        if not self.second_order:
            parts.append("Inner steps were held constant, as this learner defines them.")
        if self.subnetworks:
            parts.append(
                f"{self.subnetworks} sub-networks of each task took part, their masks held fixed."
            )
        if not self.passed and self.kinks:
            parts.append(
                f"{len(self.kinks)} layers have kinks ({', '.join(self.kinks[:3])}"
                f"{', ...' if len(self.kinks) > 3 else ''}), and kinks drown finite differences: "
                "this is no proof of an error. Check the same network with a smooth activation "
                "(softplus, tanh) and average pooling."
            )
        if not self.passed and self.dtype != "float64":
            parts.append("Rounding is coarse in float32: check the same network in float64.")
        return " ".join(parts)


def check_gradients(
    learner: Learner,
    batch: Any,
    directions: int = 5,
    steps: Sequence[float] | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compares meta-gradients with central finite differences in random directions.

    `d = (F(theta + h v) - F(theta - h v)) / 2h` against `g . v`, where F is the query loss after
    adaptation, averaged over tasks, plus that of MGAug's sub-networks with the masks drawn at theta
    held fixed, and g is `learner.meta_gradients(batch)` in graph mode, as `fit` uses it.

    Build the learner in float64 (`conv4(..., dtype="float64")`), with a smooth activation and
    average pooling: in float32 rounding leaves two digits, and kinks (ReLU, max pooling) make F
    jump, since an inner step's gradient jumps there. In float64 the smallest steps mostly miss the
    kinks of small networks. `in_float64` converts a learner that exists.

    Args:
        learner: `MetaLearner` without regularizers, whose terms F does not have. Of a first-order
            learner the inner steps are held constant in F, by its definition, and learned inner
            rates are not checked.
        batch: a batch of tasks as `fit` takes it; one or two tasks will do.
        directions: int >= 1, random directions.
        steps: sizes h to try; None: what suits the dtype.
        seed: int >= 0, seed of the directions.

    Returns:
        A `GradientCheck`; `print` says in words what it found.

    Raises:
        ValueError: the learner can't be checked, or an argument is out of range.

    Example:
        >>> print(check_gradients(learner, next(iter(episodes.dataset()))))
    """
    dtype = _checked_dtype(learner)
    steps = _STEPS[dtype] if steps is None else tuple(steps)
    if directions < 1 or not steps or min(steps) <= 0:
        raise ValueError(
            "`directions` must be at least 1 and `steps` positive. "
            f"Received: directions={directions}, steps={steps}."
        )
    theta = learner.meta_params
    batch = tf.nest.map_structure(tf.convert_to_tensor, batch)
    graph = tf.function(lambda batch: learner.meta_gradients(batch), autograph=False)
    gradients = graph.get_concrete_function(batch)(batch)
    episodes = to_episodes(batch, learner.classification, learner.way)
    objective = _Objective(learner, theta, episodes)
    draws = np.random.default_rng(seed)
    moved = [_direction(learner, theta, draws) for _ in range(directions)]
    pairs = np.array(
        [[_compare(theta, gradients, objective, step, v) for v in moved] for step in steps]
    )
    return GradientCheck(
        learner=type(learner).__name__,
        dtype=dtype,
        second_order=_differentiates_steps(learner),
        subnetworks=objective.subnetworks,
        steps=steps,
        slopes=pairs[..., 0],
        differences=pairs[..., 1],
        kinks=_kinks(learner.backbone),
    )


class _Objective:
    """What the meta-gradient is the gradient of, as a function of theta."""

    def __init__(self, learner, theta, episodes):
        self._learner = learner
        self._theta = theta
        self._tasks = []
        for number in range(len(episodes.query_y)):
            episode = type(episodes)(*[part[number] for part in episodes])
            full = (episode, learner.training_context(episode))
            self._tasks.append([full, *subnetworks_of(learner, theta, episode)])
        self.subnetworks = len(self._tasks[0]) - 1
        # A first-order learner's inner steps are constants: they are taken once.
        self._steps = None
        if not _differentiates_steps(learner):
            self._steps = [
                [self._inner_steps(*network) for network in task] for task in self._tasks
            ]

        graph = tf.function(self._mean_loss, autograph=False)
        self._graph = graph.get_concrete_function(theta)

    def __call__(self, theta):
        """The mean over tasks of the query losses."""
        return float(self._graph(theta))

    def _mean_loss(self, theta):
        losses = [
            self._loss(theta, t, n) for t, task in enumerate(self._tasks) for n in range(len(task))
        ]
        learner = self._learner
        penalty = penalties.total(learner.named(learner.meta_variables), theta)
        mean = tf.add_n(losses) / len(self._tasks)
        return mean if penalty is None else mean + tf.cast(penalty, mean.dtype)

    def _loss(self, theta, task, network):
        learner = self._learner
        episode, context = self._tasks[task][network]
        with learner.scope(theta):
            start = context.starting_from(episode.support_x, episode.support_y)
            state, count = learner.initial_state(start), None
            if self._steps is not None:
                taken = self._steps[task][network]
                state, count = {name: w + taken[name] for name, w in state.items()}, 0
            state = learner.adapt_state(state, episode.support_x, episode.support_y, context, count)
            logits, _ = prediction.query(learner, state, episode.query_x, context)
            return learner.outcome(logits, episode.query_y).loss

    def _inner_steps(self, episode, context):
        """By how much adaptation at the original weights moves each weight."""
        learner = self._learner
        with learner.scope(self._theta):
            support = episode.support_x, episode.support_y
            start = learner.initial_state(context.starting_from(*support))
            state = learner.adapt_state(start, *support, context)
        return {name: state[name] - weight for name, weight in start.items()}


def _compare(theta, gradients, objective, step, direction):
    """A slope and a finite difference, both per unit of the direction."""
    moves = {name: tf.cast(step * direction[name], w.dtype) for name, w in theta.items()}
    up = {name: w + moves[name] for name, w in theta.items()}
    down = {name: w - moves[name] for name, w in theta.items()}
    # What is left of a step after rounding counts.
    slope = sum(
        np.sum(np.asarray(g, np.float64) * (np.float64(up[name]) - np.float64(down[name])))
        for name, g in gradients.items()
    )
    return slope / (2 * step), (objective(up) - objective(down)) / (2 * step)


def _direction(learner, theta, draws):
    drawn = {name: draws.normal(size=tensor.shape) for name, tensor in theta.items()}
    scale = np.sqrt(sum(np.sum(v**2) for v in drawn.values()))
    # Without the inner rates of a learner that holds its inner steps constant.
    checked = theta if _differentiates_steps(learner) else learner.network.variables
    return {n: v / scale if n in checked else np.zeros_like(v) for n, v in drawn.items()}


def _differentiates_steps(learner):
    return learner.second_order or not learner.inner_steps


def _checked_dtype(learner):
    dtypes = {tensor.dtype.name for tensor in learner.network.params.values()}
    computing = {layer.compute_dtype for layer in learner.backbone.layers if layer.weights}
    if len(dtypes | computing) > 1 or not dtypes <= set(_STEPS):
        raise ValueError(
            "Finite differences need a backbone in float64, or float32 throughout. "
            f"Received: weights in {sorted(dtypes)}, layers that compute in {sorted(computing)}."
        )
    if not learner.learns_weights:
        raise ValueError(
            "The gradient of scores is straight-through: by definition not the slope of the loss, "
            f"which is flat but for jumps. Received: {type(learner).__name__}."
        )
    if learner.no_gradient_check is not None:
        raise ValueError(
            f"{learner.no_gradient_check} There is no loss whose slope it would be. "
            f"Received: {type(learner).__name__}."
        )
    if getattr(learner, "clip_task_gradients", None) is not None:
        raise ValueError(
            "Clipped gradients are not the slope of the loss where they are clipped: check the "
            "learner without. "
            f"Received: clip_task_gradients={learner.clip_task_gradients}."
        )
    if learner.regularizers:
        raise ValueError(
            "Regularizers add terms that the query loss does not have: check the learner without "
            f"them. Received: {[type(part).__name__ for part in learner.regularizers]}."
        )
    return dtypes.pop()


def _kinks(backbone):
    layers = backbone._flatten_layers(include_self=False)
    return tuple(
        layer.name
        for layer in layers
        if type(layer).__name__ in _KINKED_LAYERS
        or getattr(getattr(layer, "activation", None), "__name__", None) in _KINKED_ACTIVATIONS
    )
