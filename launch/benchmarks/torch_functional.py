"""PyTorch in functional form: gradients of a function of a list of weights, task after task."""

import torch

from launch.benchmarks.torch_peer import TorchPeer
from launch.benchmarks.torch_prototypes import prototype_loss


class FunctionalLoop(TorchPeer):
    """Weights as a list of tensors, `torch.autograd.grad` for every step.

    First order, the adapted weights are leaves of their own, and no graph outlives a step.
    (`torch.func.grad` keeps a graph of every gradient, whether or not it will be differentiated.)
    """

    def meta_gradient(self, task, masks=None):
        loss = self._prototypes if self.workload.learner == "protonet" else self._adapted
        return loss(task, masks)

    def _prototypes(self, task, masks):
        loss = prototype_loss(
            lambda x: self.forward(self.weights, x, masks), task, self.workload.way
        )
        return loss, torch.autograd.grad(loss, self.weights)

    def _adapted(self, task, masks):
        support_x, support_y, query_x, query_y = task
        second_order = self.workload.second_order
        weights = self.weights
        for _ in range(self.workload.inner_steps):
            loss = self.loss(weights, support_x, support_y, masks)
            gradients = torch.autograd.grad(loss, weights, create_graph=second_order)
            weights = self._descend(weights, gradients)
        loss = self.loss(weights, query_x, query_y, masks)
        return loss, torch.autograd.grad(loss, self.weights if second_order else weights)

    def _descend(self, weights, gradients):
        rate = self.workload.inner_learning_rate
        if self.workload.second_order:
            return torch._foreach_add(weights, list(gradients), alpha=-rate)
        with torch.no_grad():
            weights = torch._foreach_add(weights, list(gradients), alpha=-rate)
        return [weight.requires_grad_() for weight in weights]


build = FunctionalLoop
