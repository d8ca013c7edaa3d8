"""ProtoNet's loss in PyTorch."""

import torch
from torch.nn import functional


def prototype_loss(embed, task, way):
    """Computes the query loss of a prototypical network.

    Args:
        embed: function from images to embeddings `[n, features]`.
        task: `(support_x, support_y, query_x, query_y)`; support images of a class are adjacent,
            and every class has as many.
        way: number of classes.

    Returns:
        A scalar.
    """
    support_x, _, query_x, query_y = task
    support, query = embed(support_x), embed(query_x)
    prototypes = support.unflatten(0, (way, -1)).mean(1)
    squares = query.square().sum(1, keepdim=True) + prototypes.square().sum(1)
    logits = torch.addmm(squares, query, prototypes.T, beta=-1, alpha=2)
    return functional.cross_entropy(logits, query_y)
