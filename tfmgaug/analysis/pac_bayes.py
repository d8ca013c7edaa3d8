"""The PAC-Bayes bound of meta-learning with inner-loop pruning."""

import dataclasses

import numpy as np

from tfmgaug.types import ArrayLike


@dataclasses.dataclass(frozen=True, eq=False)
class PacBayesBound:
    """Theorem 1's bound, term by term.

    Attributes:
        empirical: mean error over the observed tasks, 0-1.
        environment: the environment-complexity term: too few tasks.
        task: the task-complexity term: too few samples a task; the mean of `tasks`.
        tasks: the task-complexity term of each task, `[tasks]`.
        rate: pruning rate.
        divergence: D(Q || P), of the hyper-posterior from the hyper-prior.
        delta: the bound holds with probability at least 1 - delta.
        samples: samples of each task, `[tasks]`.
        squared_norms: of each task's initial weights, `[tasks]`.
    """

    empirical: float
    environment: float
    task: float
    tasks: np.ndarray
    rate: float
    divergence: float
    delta: float
    samples: np.ndarray
    squared_norms: np.ndarray

    @property
    def bound(self) -> float:
        """What the expected error does not exceed; above 1 it says nothing."""
        return self.empirical + self.environment + self.task

    @property
    def vacuous(self) -> bool:
        """Whether the bound says nothing: no error exceeds 1."""
        return self.bound >= 1

    def to_json(self) -> dict:
        """Terms and arguments as a dictionary that `json.dumps` takes."""
        return {
            "bound": self.bound,
            "vacuous": self.vacuous,
            "empirical_error": self.empirical,
            "environment_complexity": self.environment,
            "task_complexity": self.task,
            "arguments": {
                "tasks": len(self.samples),
                "samples": _one_or_all(self.samples),
                "squared_norms": _one_or_all(self.squared_norms),
                "rate": self.rate,
                "divergence": self.divergence,
                "delta": self.delta,
            },
        }

    def __str__(self) -> str:
        samples, norms = (_range(values) for values in (self.samples, self.squared_norms))
        verdict = "vacuous: no error exceeds 1" if self.vacuous else "not vacuous"
        return (
            f"error of new tasks <= {self.bound:.4g} with probability {1 - self.delta:.4g} "
            f"({verdict})\n"
            f"  empirical error         {self.empirical:.4g}\n"
            f"  environment complexity  {self.environment:.4g}\n"
            f"  task complexity         {self.task:.4g}\n"
            f"for T = {len(self.samples)} tasks of m = {samples} samples, pruning rate "
            f"{self.rate:g}, |w|^2 = {norms}, D(Q||P) = {self.divergence:.6g}, "
            f"delta = {self.delta:g}"
        )


def pac_bayes_bound(
    errors: ArrayLike,
    samples: int | ArrayLike,
    squared_norms: float | ArrayLike,
    rate: float,
    divergence: float,
    delta: float = 0.05,
) -> PacBayesBound:
    """Computes Theorem 1's bound on the expected error of new tasks.

    `er <= 1/T sum_t er_t + sqrt((D + log(2T / delta)) / (2 (T - 1)))
    + 1/T sum_t sqrt((D + log(2 T m_t / delta) + (1 - rate) / 2 * |w_t|^2) / (2 (m_t - 1)))`.

    Args:
        errors: empirical error of each observed task, in 0-1, `[tasks]` with at least 2 tasks. The
            theorem's loss is bounded by 0 and 1: the error rate.
        samples: m_t, at least 2: a number for all tasks, or `[tasks]`.
        squared_norms: |w_t|^2, of the initial weights of the base learner on each task: a number
            for all tasks, or `[tasks]`. (For MAML they are the same for all tasks.)
        rate: pruning rate, in 0-1. Pruning scales the weights' cost by 1 - rate.
        divergence: D(Q || P) >= 0, of the hyper-posterior from the hyper-prior.
        delta: in (0, 1].

    Returns:
        A `PacBayesBound`.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> print(pac_bayes_bound([0.1, 0.2], samples=75, squared_norms=40.0, rate=0.02,
        ...                       divergence=20.0))

    Reference:
        Wang et al., MGAug, Theorem 1, Eq. 8; Amit and Meir, 2018, https://arxiv.org/abs/1711.01244.
    """
    errors = np.atleast_1d(np.asarray(errors, np.float64))
    samples, norms = (_per_task(values, errors) for values in (samples, squared_norms))
    _check(errors, samples, norms, rate, divergence, delta)
    tasks = len(errors)
    environment = np.sqrt((divergence + np.log(2 * tasks / delta)) / (2 * (tasks - 1)))
    cost = divergence + np.log(2 * tasks * samples / delta) + (1 - rate) / 2 * norms
    complexities = np.sqrt(cost / (2 * (samples - 1)))
    return PacBayesBound(
        empirical=float(errors.mean()),
        environment=float(environment),
        task=float(complexities.mean()),
        tasks=complexities,
        rate=float(rate),
        divergence=float(divergence),
        delta=float(delta),
        samples=samples,
        squared_norms=norms,
    )


def _per_task(values, errors):
    values = np.asarray(values, np.float64)
    if values.ndim and values.shape != errors.shape:
        raise ValueError(
            "`samples` and `squared_norms` must be numbers, or one for each task. "
            f"Received: shape {values.shape} for {len(errors)} tasks."
        )
    return np.broadcast_to(values, errors.shape)


def _check(errors, samples, norms, rate, divergence, delta):
    if errors.ndim != 1 or len(errors) < 2 or not ((errors >= 0) & (errors <= 1)).all():
        raise ValueError(
            f"`errors` must be error rates in 0-1 of at least 2 tasks. Received: {errors}."
        )
    if not (samples >= 2).all():
        raise ValueError(f"`samples` must be at least 2. Received: {samples.min():g}.")
    if not (norms >= 0).all():
        raise ValueError(f"`squared_norms` must not be negative. Received: {norms.min():g}.")
    if not 0 <= rate <= 1:
        raise ValueError(f"`rate` must be in 0-1. Received: rate={rate}.")
    if not divergence >= 0:
        raise ValueError(f"`divergence` must not be negative. Received: {divergence}.")
    if not 0 < delta <= 1:
        raise ValueError(f"`delta` must be in (0, 1]. Received: delta={delta}.")


def _one_or_all(values):
    alike = len(set(values.tolist())) == 1
    return float(values[0]) if alike else values.tolist()


def _range(values):
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
