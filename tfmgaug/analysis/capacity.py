"""The order of a generalization gap in the weights that are kept, against all of them."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class CapacityOrder:
    """What the O(...) of the network pruning paper's Theorem 1 holds, sparse and dense.

    Only their ratio means something: the theorem leaves the constant open, and holds for losses
    that are Lipschitz and smooth, which is known of no network here.

    Attributes:
        sparse: the expression at the parameters that are kept, k.
        dense: the expression at all parameters, p.
        kept: k.
        parameters: p.
        tasks: M, the number of training tasks.
        arguments: the others, by name.
    """

    sparse: float
    dense: float
    kept: int
    parameters: int
    tasks: int
    arguments: dict

    @property
    def ratio(self) -> float:
        """The sparse order as a share of the dense one."""
        return self.sparse / self.dense

    def to_json(self) -> dict:
        """Orders and arguments as a dictionary that `json.dumps` takes."""
        return {**dataclasses.asdict(self), "ratio": self.ratio}

    def __str__(self) -> str:
        arguments = ", ".join(f"{name} = {value:.6g}" for name, value in self.arguments.items())
        return (
            f"gap of order {self.sparse:.4g} with k = {self.kept:,} parameters kept, "
            f"{self.dense:.4g} with all p = {self.parameters:,}: {100 * self.ratio:.1f} % of it\n"
            f"for M = {self.tasks:,} tasks, {arguments}"
        )


def capacity_order(
    kept: int,
    parameters: int,
    tasks: int,
    radius: float,
    inner_rate: float,
    lipschitz: float = 1.0,
    smoothness: float = 1.0,
    bound: float = 1.0,
    delta: float = 0.05,
) -> CapacityOrder:
    """Computes what stands in the O(...) of Theorem 1 and Corollary 1.

    `B sqrt((k log(p sqrt(M) G R (1 + eta H) / (B k)) + log(1 / delta)) / M)`, and the same at
    `k = p`.

    Args:
        kept: int >= 1, k: parameters that are kept.
        parameters: int >= kept, p: all parameters.
        tasks: int >= 1, M: training tasks.
        radius: float > 0, R: of the weights.
        inner_rate: float >= 0, eta: the inner learning rate.
        lipschitz: float > 0, Lipschitz constant G of the loss in the weights. (Not known; 1 leaves
            it out.)
        smoothness: float >= 0, smoothness H of the loss in the weights. (Not known.)
        bound: float > 0, B: of the loss.
        delta: float in (0, 1), the probability with which the theorem may fail.

    Returns:
        A `CapacityOrder`.

    Raises:
        ValueError: an argument is out of range, or the logarithm is negative, so that the theorem's
            expression means nothing.

    Example:
        >>> print(capacity_order(60_000, 100_000, 500_000, radius=30.0, inner_rate=0.001))

    Reference:
        Tian et al., Meta-Learning with Network Pruning, 2020, https://arxiv.org/abs/2007.03219,
        Theorem 1 and Corollary 1.
    """
    if not 1 <= kept <= parameters or tasks < 1:
        raise ValueError(
            "Expected 1 <= kept <= parameters and tasks >= 1. "
            f"Received: kept={kept}, parameters={parameters}, tasks={tasks}."
        )
    if min(radius, lipschitz, bound) <= 0 or min(inner_rate, smoothness) < 0 or not 0 < delta < 1:
        raise ValueError(
            "Expected radius, lipschitz, bound > 0; inner_rate, smoothness >= 0; delta in (0, 1). "
            f"Received: radius={radius}, lipschitz={lipschitz}, bound={bound}, "
            f"inner_rate={inner_rate}, smoothness={smoothness}, delta={delta}."
        )
    scale = math.sqrt(tasks) * lipschitz * radius * (1 + inner_rate * smoothness) / bound

    def order(number):
        logarithm = math.log(parameters * scale / number)
        if logarithm < 0:
            raise ValueError(
                "The theorem needs p sqrt(M) G R (1 + eta H) >= B k. "
                f"Received: a quotient of {parameters * scale / number:g} at k={number}."
            )
        return bound * math.sqrt((number * logarithm + math.log(1 / delta)) / tasks)

    return CapacityOrder(
        sparse=order(kept),
        dense=order(parameters),
        kept=int(kept),
        parameters=int(parameters),
        tasks=int(tasks),
        arguments={
            "R": radius,
            "eta": inner_rate,
            "G": lipschitz,
            "H": smoothness,
            "B": bound,
            "delta": delta,
        },
    )
