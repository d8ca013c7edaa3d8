"""PyTorch with `torch.func`: all tasks at once by `vmap`."""

import torch

from launch.benchmarks.torch_functional import FunctionalLoop
from launch.benchmarks.torch_prototypes import prototype_loss


class Vectorized(FunctionalLoop):
    """`torch.func.vmap` over tasks of `torch.func.grad` of one task's loss."""

    one_type = True

    def step(self, fixed_masks=None):
        weights = [weight.detach() for weight in self.weights]
        tasks = self.tasks()
        loss, gradients = self._all(weights, tasks, None)
        if self.workload.rates:
            for masks in self._stacked(fixed_masks) or self._draw_stacked(
                weights, tasks, gradients
            ):
                gradients = [a + b for a, b in zip(gradients, self._all(weights, tasks, masks)[1])]
        return loss.mean(), [gradient.mean(0) for gradient in gradients]

    def _all(self, weights, tasks, masks):
        """Returns losses `[tasks]` and gradients `[tasks, ...]`."""

        def gradient_of(task, masks):
            return self._task_gradient(weights, task, masks)

        if masks is None:
            return torch.func.vmap(lambda *task: gradient_of(task, None))(*tasks)
        return torch.func.vmap(lambda masks, *task: gradient_of(task, masks))(masks, *tasks)

    def _task_gradient(self, weights, task, masks):
        if self.workload.learner == "protonet":
            gradients, loss = torch.func.grad_and_value(
                lambda weights: prototype_loss(
                    lambda x: self.forward(weights, x, masks), task, self.workload.way
                )
            )(weights)
            return loss, gradients
        if self.workload.second_order:
            gradients, loss = torch.func.grad_and_value(
                lambda weights: self._query(self._adapt(weights, task, masks), task, masks)
            )(weights)
        else:
            adapted = self._adapt(weights, task, masks)
            gradients, loss = torch.func.grad_and_value(self._query)(adapted, task, masks)
        return loss, gradients

    def _adapt(self, weights, task, masks):
        support_x, support_y, _, _ = task
        for _ in range(self.workload.inner_steps):
            gradients = torch.func.grad(self.loss)(weights, support_x, support_y, masks)
            rate = self.workload.inner_learning_rate
            weights = [w - rate * g for w, g in zip(weights, gradients)]
        return weights

    def _query(self, weights, task, masks):
        return self.loss(weights, task[2], task[3], masks)

    def _stacked(self, fixed_masks):
        """The masks as lists by sub-network and kernel, `[tasks, ...]` each."""
        if fixed_masks is None:
            return None
        by_task = self.convert_masks(fixed_masks)
        return [[torch.stack(kernel) for kernel in zip(*masks)] for masks in zip(*by_task)]

    def _draw_stacked(self, weights, tasks, gradients):
        scoring = gradients
        if self.workload.score == "query_loss":
            gradient = torch.func.grad(self.loss)
            scoring = torch.func.vmap(lambda x, y: gradient(weights, x, y))(tasks[2], tasks[3])
        by_task = [
            self.draw_all([gradient[task] for gradient in scoring])
            for task in range(self.workload.tasks)
        ]
        return [[torch.stack(kernel) for kernel in zip(*masks)] for masks in zip(*by_task)]


build = Vectorized
