"""higher: a stateless copy of a module, and an optimizer that can be differentiated.

Reference:
    Grefenstette et al., Generalized Inner Loop Meta-Learning, 2019,
    https://arxiv.org/abs/1910.01727; https://github.com/facebookresearch/higher.
"""

import higher
import torch

from launch.benchmarks import torch_module
from launch.benchmarks.torch_learn2learn import Learn2Learn


class Higher(Learn2Learn):
    """`with higher.innerloop_ctx(...) as (fmodel, diffopt): diffopt.step(loss)`."""

    def __init__(self, workload, problem, dtype, channels_last=False):
        super().__init__(workload, problem, dtype, channels_last)
        rate = workload.inner_learning_rate
        self._optimizer = torch.optim.SGD(self._network.parameters(), lr=rate)

    def meta_gradient(self, task, masks=None):
        support_x, support_y, query_x, query_y = task
        torch_module.set_masks(self._network, masks)
        with higher.innerloop_ctx(
            self._network,
            self._optimizer,
            copy_initial_weights=False,
            track_higher_grads=self.workload.second_order,
        ) as (fmodel, diffopt):
            for _ in range(self.workload.inner_steps):
                diffopt.step(self.loss(fmodel, support_x, support_y))
            loss = self.loss(fmodel, query_x, query_y)
            # First order, the adapted parameters are cut off from those they came from.
            time = 0 if self.workload.second_order else -1
            gradients = torch.autograd.grad(loss, list(fmodel.parameters(time=time)))
        torch_module.set_masks(self._network, None)
        return loss, gradients


build = Higher
