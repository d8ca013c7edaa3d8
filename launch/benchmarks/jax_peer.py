"""JAX: one task's meta-gradient compiled by `jit`, over tasks by a loop or by `vmap`."""

import functools

import jax
import jax.numpy as jnp

from launch.benchmarks import jax_network
from launch.benchmarks.layers import kernel_shapes
from launch.benchmarks.problem import number_pruned, standardize


class JaxPeer:
    """One outer step in JAX.

    Args:
        workload: `Workload`.
        problem: `Problem`.
        dtype: "float32" or "bfloat16".
        vectorized: True maps tasks side by side with `vmap`; False calls the compiled function of
            one task for each.
    """

    def __init__(self, workload, problem, dtype, vectorized=False):
        self._workload = workload
        self._dtype = jnp.dtype(dtype)
        self._weights = {name: jnp.asarray(value) for name, value in problem.weights.items()}
        self._batch = tuple(jnp.asarray(part) for part in problem[1:])
        self._loop = self._over_all if vectorized else self._one_by_one
        over = (lambda function: jax.vmap(function, (None, 0, 0))) if vectorized else lambda f: f
        self._meta_gradient = jax.jit(over(self._task_gradient))
        self._draw = jax.jit(over(self._task_masks))
        self._mean = jax.jit(functools.partial(jax.tree.map, lambda terms: terms.mean(0)))
        self._add = jax.jit(functools.partial(jax.tree.map, jnp.add), donate_argnums=0)
        self._scale = jax.jit(lambda total, by: jax.tree.map(lambda term: term * by, total))

    def step(self, fixed_masks=None):
        """Computes the meta-gradient, with `fixed_masks` in place of masks of its own."""
        return jax.block_until_ready(self._loop(fixed_masks))

    def measure(self, result):
        """Reads loss and norm from what `step` returned."""
        loss, gradients = result
        squares = sum(float(jnp.sum(jnp.square(g))) for g in jax.tree.leaves(gradients))
        return {"loss": float(loss), "gradient_norm": squares**0.5}

    # Over tasks.

    def _over_all(self, fixed_masks):
        return self._mean(self._augmented(self._batch, fixed_masks))

    def _one_by_one(self, fixed_masks):
        total = None
        for number in range(self._workload.tasks):
            task = tuple(part[number] for part in self._batch)
            masks = fixed_masks and {name: mask[number] for name, mask in fixed_masks.items()}
            term = self._augmented(task, masks)
            total = term if total is None else self._add(total, term)
        return self._scale(total, 1 / self._workload.tasks)

    def _augmented(self, tasks, fixed_masks):
        """Losses and gradients of one task, or of all, with those of the sub-networks added."""
        loss, gradients = self._meta_gradient(self._weights, tasks, None)
        if not self._workload.rates:
            return loss, gradients
        drawn = (
            self._by_subnetwork(fixed_masks)
            if fixed_masks
            else self._draw(self._weights, tasks, gradients)
        )
        for masks in drawn:
            _, term = self._meta_gradient(self._weights, tasks, masks)
            gradients = self._add(gradients, term)
        return loss, gradients

    def _by_subnetwork(self, fixed_masks):
        # The sub-networks' axis stands after that of tasks, where there is one.
        axis = 1 if self._loop == self._over_all else 0
        return [
            {name: jnp.take(mask, number, axis) for name, mask in fixed_masks.items()}
            for number in range(len(self._workload.rates))
        ]

    # One task.

    def _task_gradient(self, weights, task, masks):
        support_x, support_y, query_x, query_y = task
        support = (standardize(support_x.astype(jnp.float32)), support_y)
        query = (standardize(query_x.astype(jnp.float32)), query_y)
        if self._workload.learner == "protonet":
            return jax.value_and_grad(self._prototypes)(weights, support, query, masks)
        if self._workload.second_order:

            def adapted_loss(weights):
                return self._loss(self._adapt(weights, support, masks), query, masks)

            return jax.value_and_grad(adapted_loss)(weights)
        adapted = self._adapt(weights, support, masks)
        return jax.value_and_grad(self._loss)(adapted, query, masks)

    def _adapt(self, weights, support, masks):
        rate = self._workload.inner_learning_rate
        # Unrolled: convolutions in XLA's loops run on one thread on CPUs.
        for _ in range(self._workload.inner_steps):
            gradients = jax.grad(self._loss)(weights, support, masks)
            weights = jax.tree.map(lambda w, g: w - rate * g, weights, gradients)
        return weights

    def _loss(self, weights, examples, masks):
        return jax_network.cross_entropy(self._forward(weights, examples[0], masks), examples[1])

    def _prototypes(self, weights, support, query, masks):
        embeddings = self._forward(weights, support[0], masks)
        queries = self._forward(weights, query[0], masks)
        prototypes = embeddings.reshape(self._workload.way, -1, embeddings.shape[-1]).mean(1)
        squares = jnp.square(queries).sum(1, keepdims=True) + jnp.square(prototypes).sum(1)
        return jax_network.cross_entropy(2 * queries @ prototypes.T - squares, query[1])

    def _forward(self, weights, x, masks):
        return jax_network.forward(weights, x, self._workload, self._dtype, masks)

    def _task_masks(self, weights, task, gradients):
        if self._workload.score == "query_loss":
            query = (standardize(task[2].astype(jnp.float32)), task[3])
            gradients = jax.grad(self._loss)(weights, query, None)
        return [
            {
                name: _prune_top(jnp.abs(gradients[name] * weights[name]), rate)
                for name in kernel_shapes(self._workload)
            }
            for rate in self._workload.rates
        ]


build = JaxPeer


def _prune_top(scores, rate):
    pruned = number_pruned(rate, scores.size)
    indices = jax.lax.top_k(scores.ravel(), pruned)[1]
    return jnp.ones(scores.size).at[indices].set(0).reshape(scores.shape)
