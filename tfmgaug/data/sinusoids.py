"""Sinusoid regression tasks."""

import math
import numbers
from typing import NamedTuple

import tensorflow as tf

from tfmgaug.data.indexed import (
    check_integer,
    indexed_dataset,
    random_uniform,
    single_episode,
)
from tfmgaug.episode import Episode

_TARGET, _INPUTS, _NOISE = range(3)


class Sinusoid(NamedTuple):
    """What `SinusoidSampler` draws for a task.

    Attributes:
        amplitude: float32 scalar.
        phase: float32 scalar.
        frequency: float32 scalar.
        x: float32 `[shot + query, 1]`, the inputs, those of the support set first.
        noise: float32 `[shot, 1]`, what is added to the support targets; None: nothing.
    """

    amplitude: tf.Tensor
    phase: tf.Tensor
    frequency: tf.Tensor
    x: tf.Tensor
    noise: tf.Tensor | None


class SinusoidSampler:
    """Draws regression tasks y = a sin(b x + c), each a pure function of a seed and an index.

    A task draws its amplitude a, phase c and frequency b uniformly from their ranges, and its
    inputs x uniformly from the domain. The defaults are the training ranges; tasks of disjoint
    ranges, for validation and test, take `**SinusoidSampler.TEST_RANGES`.

    Args:
        shot: support points of a task, at least 1.
        query: query points of a task, at least 1.
        tasks: episodes in a batch.
        amplitude: a number, or a range `(low, high)` to draw from.
        phase: the same, in radians.
        frequency: the same, in radians per unit of x.
        domain: the range `(low, high)` of x.
        noise: standard deviation of Gaussian noise on the support targets. Query targets have
            none: the error is measured against the curve.
        seed: integer from 0 to 2**63 - 1.

    Raises:
        TypeError: if an argument has a wrong type.
        ValueError: if an argument is out of range.

    Example:
    >>> train = SinusoidSampler(shot=5)
    >>> test = SinusoidSampler(shot=5, seed=1, **SinusoidSampler.TEST_RANGES)
    >>> learner.fit(train.dataset(), steps_per_epoch=100)

    Reference:
        Finn et al., Model-Agnostic Meta-Learning (2017), Section 5.1, whose curves have amplitudes
        from 0.1 to 5 and phases from 0 to pi, in training and tests alike.
    """

    TEST_RANGES = {"amplitude": (3.0, 5.0), "phase": (math.pi / 2, math.pi)}

    def __init__(
        self,
        shot: int = 5,
        query: int = 15,
        tasks: int = 4,
        amplitude: float | tuple[float, float] = (0.1, 3.0),
        phase: float | tuple[float, float] = (0.0, math.pi / 2),
        frequency: float | tuple[float, float] = 1.0,
        domain: tuple[float, float] = (-5.0, 5.0),
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.shot = check_integer("shot", shot)
        self.query = check_integer("query", query)
        self.tasks = check_integer("tasks", tasks)
        self.amplitude = _check_range("amplitude", amplitude)
        self.phase = _check_range("phase", phase)
        self.frequency = _check_range("frequency", frequency)
        self.domain = _check_range("domain", domain)
        self.noise = _check_range("noise", noise)[0]
        self.seed = check_integer("seed", seed, minimum=0)
        if self.domain[0] == self.domain[1]:
            raise ValueError(f"`domain` must be (low, high) with low < high. Received: {domain}")
        if self.noise < 0 or isinstance(noise, tuple | list):
            raise ValueError(f"`noise` must be a number of at least 0. Received: noise={noise}")

    def dataset(self, start: int = 0, episodes: int | None = None) -> tf.data.Dataset:
        """Batches of the episodes `start`, `start + 1`, ... in that order.

        Args:
            start: index of the first episode.
            episodes: how many episodes; endless if None. If it is not a multiple of `tasks`, the
                last batch is smaller, and the task axis of the batches is dynamic.

        Returns:
            A dataset of `(inputs, query_y)`. `inputs` is a dictionary of `support_x` and
            `support_y` `[tasks, shot, 1]`, `query_x` `[tasks, query, 1]` and `index` `[tasks]`
            int64; `query_y` is `[tasks, query, 1]`. All but the index are float32.

        Raises:
            TypeError: if an argument is not an integer.
            ValueError: if `start` is negative or `episodes` is not positive.
        """
        return indexed_dataset(self._batch, self.tasks, start, episodes)

    def episode(self, index: int) -> Episode:
        """One episode as numpy arrays, without a task axis.

        Args:
            index: index of the episode.

        Returns:
            The `Episode`, equal to the one that `dataset` yields for this index.
        """
        return single_episode(self._batch, index)

    def _batch(self, index: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        def points(number):
            return tf.TensorSpec([number, 1], tf.float32)

        # One task at a time: the last bit of a vectorized sine depends on the place in the batch.
        support_x, support_y, query_x, query_y = tf.map_fn(
            self._task,
            index,
            fn_output_signature=2 * (points(self.shot),) + 2 * (points(self.query),),
        )
        inputs = {
            "support_x": support_x,
            "support_y": support_y,
            "query_x": query_x,
            "index": index,
        }
        return inputs, query_y

    def _task(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        amplitude, phase, frequency, x, noise = self.draw(index)
        y = amplitude * tf.sin(frequency * x + phase)
        (support_x, query_x), (support_y, query_y) = (
            tf.split(part, [self.shot, self.query]) for part in (x, y)
        )
        if noise is not None:
            support_y += noise
        return support_x, support_y, query_x, query_y

    def draw(self, index: tf.Tensor) -> Sinusoid:
        """Draws a task; override it to give your own.

        Args:
            index: int64 scalar, of the episode.

        Returns:
            A `Sinusoid`.
        """
        curve = tf.unstack(self._uniform(_TARGET, index, 3))
        amplitude, phase, frequency = map(
            _scale, curve, (self.amplitude, self.phase, self.frequency)
        )
        x = _scale(self._uniform(_INPUTS, index, self.shot + self.query), self.domain)
        noise = self.noise * self._normal(index) if self.noise else None
        return Sinusoid(amplitude, phase, frequency, x[:, tf.newaxis], noise)

    def _uniform(self, purpose: int, index: tf.Tensor, number: int) -> tf.Tensor:
        return random_uniform(self.seed, purpose, tf.reshape(index, [1]), number)[0]

    def _normal(self, index: tf.Tensor) -> tf.Tensor:
        """`[shot, 1]` standard normal, by the Box-Muller transform."""
        radius, angle = tf.split(self._uniform(_NOISE, index, 2 * self.shot), 2)
        radius = tf.sqrt(-2.0 * tf.math.log(1.0 - radius))  # 1 - u is never 0
        return (radius * tf.cos(2 * math.pi * angle))[:, tf.newaxis]


def _scale(uniform: tf.Tensor, bounds: tuple[float, float]) -> tf.Tensor:
    return bounds[0] + (bounds[1] - bounds[0]) * uniform


def _check_range(name: str, value: float | tuple[float, float]) -> tuple[float, float]:
    bounds = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if not all(isinstance(b, numbers.Real) and not isinstance(b, bool) for b in bounds):
        raise TypeError(f"`{name}` must be a number or a range (low, high). Received: {value!r}")
    if len(bounds) != 2 or not all(map(math.isfinite, bounds)) or bounds[0] > bounds[1]:
        raise ValueError(
            f"`{name}` must be a finite number, or (low, high) with low <= high. Received: {value}"
        )
    return float(bounds[0]), float(bounds[1])
