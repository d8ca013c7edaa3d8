"""learn2learn's rule of MAML, rewritten: cloned modules, and updates that can be differentiated.

The package does not build on Python 3.11 (its Cython files were generated for an older one), so its
published rule is written out.

Reference:
    Arnold et al., learn2learn, 2020, https://arxiv.org/abs/2008.12284;
    https://github.com/learnables/learn2learn, `algorithms.MAML`, `clone_module`, `update_module`.
"""

import torch

from launch.benchmarks import torch_module
from launch.benchmarks.torch_peer import TorchPeer


class Learn2Learn(TorchPeer):
    """`learner = maml.clone(); learner.adapt(loss); ...; gradients of the query loss`."""

    def __init__(self, workload, problem, dtype, channels_last=False):
        super().__init__(workload, problem, dtype, channels_last)
        self._network = torch_module.module(workload, self.weights)

    def forward(self, network, x, masks=None):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            return network(x).float()

    def weight_gradient(self, x, y):
        loss = self.loss(self._network, x, y)
        return torch.autograd.grad(loss, list(self._network.parameters()))

    def meta_gradient(self, task, masks=None):
        support_x, support_y, query_x, query_y = task
        torch_module.set_masks(self._network, masks)
        clone = clone_module(self._network)
        torch_module.set_masks(self._network, None)
        for _ in range(self.workload.inner_steps):
            self._adapt(clone, self.loss(clone, support_x, support_y))
        loss = self.loss(clone, query_x, query_y)
        return loss, torch.autograd.grad(loss, list(self._network.parameters()))

    def _adapt(self, clone, loss):
        second_order = self.workload.second_order
        gradients = torch.autograd.grad(
            loss,
            list(clone.parameters()),
            retain_graph=second_order,
            create_graph=second_order,
        )
        update_module(clone, iter(gradients), self.workload.inner_learning_rate)


def clone_module(module):
    """Copies a module; its parameters are `parameter.clone()`, so that gradients flow back."""
    clone = module.__new__(type(module))
    clone.__dict__ = dict(module.__dict__)
    clone._parameters = {
        name: None if parameter is None else parameter.clone()
        for name, parameter in module._parameters.items()
    }
    clone._modules = {name: clone_module(child) for name, child in module._modules.items()}
    return clone


def update_module(module, gradients, rate):
    """Replaces each parameter by `parameter - rate * gradient`, in the order of `parameters()`."""
    for name, parameter in module._parameters.items():
        if parameter is not None:
            module._parameters[name] = parameter - rate * next(gradients)
    for child in module._modules.values():
        update_module(child, gradients, rate)


build = Learn2Learn
