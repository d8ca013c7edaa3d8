"""The base of PyTorch peers: data, the loop over tasks, and MGAug by the same rule as ours."""

import torch
from torch.nn import functional

from launch.benchmarks import torch_network
from launch.benchmarks.layers import layers
from launch.benchmarks.problem import number_pruned, standardize


class TorchPeer:
    """One outer step in PyTorch; a subclass says how it adapts to a task.

    Args:
        workload: `Workload`.
        problem: `Problem`.
        dtype: "float32", or "bfloat16" for autocast.
        channels_last: whether images and kernels lie in memory with their channels last.
    """

    def __init__(self, workload, problem, dtype, channels_last=False):
        self.workload = workload
        self.bfloat16 = dtype == "bfloat16"
        self.channels_last = channels_last
        self.weights = torch_network.convert(problem.weights, channels_last)
        for weight in self.weights:
            weight.requires_grad_()
        self._images = [
            torch_network.images(x, channels_last) for x in (problem.support_x, problem.query_x)
        ]
        self._labels = [torch.from_numpy(y).long() for y in (problem.support_y, problem.query_y)]
        self._kernels = [3 * layer for layer in range(len(layers(workload)))]

    one_type = False

    # For subclasses to override.

    def weight_gradient(self, x, y):
        """Returns the gradients of the loss at the weights before adaptation."""
        return torch.autograd.grad(self.loss(self.weights, x, y), self.weights)

    def meta_gradient(self, task, masks=None):
        """Returns one task's query loss after adaptation and its gradients in the weights.

        Args:
            task: `(support_x, support_y, query_x, query_y)`.
            masks: list of masks of the pruned kernels, or None.
        """
        raise NotImplementedError

    def loss(self, weights, x, y, masks=None):
        """Returns the mean cross-entropy of the network with these weights."""
        return functional.cross_entropy(self.forward(weights, x, masks), y)

    def forward(self, weights, x, masks=None):
        """Returns the outputs of the network with these weights, in float32."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            return torch_network.forward(weights, x, self.workload, masks, self.one_type)

    # The step.

    def step(self, fixed_masks=None):
        """Computes the meta-gradient, with `fixed_masks` in place of masks of its own."""
        tasks = self.tasks()
        masks = None if fixed_masks is None else self.convert_masks(fixed_masks)
        total, losses = None, []
        for number, task in enumerate(zip(*tasks)):
            loss, gradients = self._task(task, masks and masks[number])
            losses.append(loss.detach())
            if total is None:
                total = list(gradients)
            else:
                torch._foreach_add_(total, gradients)
        torch._foreach_div_(total, len(losses))
        return torch.stack(losses).mean(), total

    def measure(self, result):
        """Reads loss and norm from what `step` returned."""
        loss, gradients = result
        norms = torch._foreach_norm([gradient.float() for gradient in gradients])
        return {"loss": float(loss), "gradient_norm": float(torch.stack(norms).norm())}

    def tasks(self):
        """Returns the batch, images standardized; four tensors with a leading task axis."""
        support_x, query_x = (standardize(x.float()) for x in self._images)
        return support_x, self._labels[0], query_x, self._labels[1]

    def convert_masks(self, fixed_masks):
        """Converts masks `[tasks, sub-networks, ...]` to lists by task, sub-network and kernel."""
        tasks, subnetworks = range(self.workload.tasks), range(len(self.workload.rates))

        def convert(task, subnetwork):
            masks = (mask[task, subnetwork] for mask in fixed_masks.values())
            return [torch_network.convert_one(mask, self.channels_last) for mask in masks]

        return [[convert(task, number) for number in subnetworks] for task in tasks]

    def _task(self, task, fixed_masks):
        loss, gradients = self.meta_gradient(task)
        if not self.workload.rates:
            return loss, gradients
        gradients = list(gradients)
        for masks in fixed_masks or self._draw_from(task, gradients):
            _, term = self.meta_gradient(task, masks)
            torch._foreach_add_(gradients, list(term))
        return loss, gradients

    def _draw_from(self, task, gradients):
        scoring = gradients
        if self.workload.score == "query_loss":
            scoring = self.weight_gradient(task[2], task[3])
        return self.draw_all(scoring)

    def draw_all(self, scoring):
        """Draws the masks of one task, lists by sub-network and kernel, from its gradients."""
        return [self._draw(scoring, rate) for rate in self.workload.rates]

    def _draw(self, scoring, rate):
        """Draws one sub-network's masks: in each kernel, the highest scores go."""
        masks = []
        for position in self._kernels:
            score = (scoring[position] * self.weights[position].detach()).abs()
            flat = torch.ones(score.numel())
            pruned = number_pruned(rate, score.numel())
            flat[score.flatten().topk(pruned, sorted=False).indices] = 0
            mask = flat.view(score.shape)
            if self.channels_last:
                mask = mask.contiguous(memory_format=torch.channels_last)
            masks.append(mask)
        return masks
