"""The arithmetic floor: the time that a workload's products alone would take."""

import math

from launch.benchmarks.layers import head_shape, layers


def products(workload):
    """Counts the multiply-adds of a workload's convolutions and dense layers.

    Let F be those of a forward pass over some examples and F1 the part of the layers that act on
    the images: the first one, and in a residual network the first shortcut. All others pass a
    gradient on to their inputs, so

    - a gradient costs 3F - F1: forward F, in the kernels F, in the layers' inputs F - F1;
    - a gradient that is itself differentiated (second order) costs 9F - 5F1: each of these products
      has two factors, and the outer pass goes once through each that depends on the weights. That
      adds 2F - F1 for forward, 2F - F1 for the kernels' gradients (the images are constant in
      both) and 2(F - F1) for the inputs' gradients. Activations are kept: nothing is recomputed.

    Per task, with S inner steps, support and query passes:

    - FOMAML: S (3F - F1)[support] + (3F - F1)[query];
    - MAML: S (9F - 5F1)[support] + (3F - F1)[query];
    - ProtoNet: (3F - F1)[support] + (3F - F1)[query];
    - MGAug with U sub-networks: 1 + U times that, and (3F - F1)[query] more where the masks are
      scored by the query loss before adaptation. (Sub-networks are pruned entry by entry, and so
      have as many products as the full network.)

    Normalization, pooling, ReLU, the masks and ProtoNet's distances are not counted.

    Args:
        workload: `Workload`.

    Returns:
        An int, for the whole batch of tasks.
    """
    support = _gradient(workload, workload.way * workload.shot)
    query = _gradient(workload, workload.way * workload.query)
    if workload.learner == "protonet":
        task = support + query
    else:
        step = support
        if workload.second_order:
            step = _differentiated_gradient(workload, workload.way * workload.shot)
        task = workload.inner_steps * step + query
    task *= 1 + len(workload.rates)
    if workload.score == "query_loss":
        task += query
    return task * workload.tasks


def seconds(workload, rate):
    """Returns the floor at a rate in multiply-adds a second."""
    return products(workload) / rate


def _gradient(workload, examples):
    forward, first = _forward(workload)
    return examples * (3 * forward - first)


def _differentiated_gradient(workload, examples):
    forward, first = _forward(workload)
    return examples * (9 * forward - 5 * first)


def _forward(workload):
    """Multiply-adds of one example's forward pass, and of the layers on its image."""
    head = math.prod(head_shape(workload)) if workload.head else 0
    body = sum(layer.products for layer in layers(workload))
    return body + head, sum(layer.products for layer in layers(workload) if layer.on_images)
