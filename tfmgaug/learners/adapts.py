"""The choice of weights that the inner loop changes."""

from collections.abc import Callable

from tfmgaug.engine.network import Network
from tfmgaug.engine.params import by_name
from tfmgaug.layers.context import contexts_of
from tfmgaug.types import Learner

CHOICES = ("all", "head", "body", "context")
Adapts = str | Callable[[str], bool]


def adapting_names(adapts: Adapts, learner: Learner) -> list[str]:
    """Finds the weights that the inner loop changes.

    Args:
        adapts: "all", "head" (the classifier), "body" (all but the classifier), "context" (what
            `tfmgaug.layers.Context` holds), or a function from the name of a weight, such as
            "conv1_kernel", to whether it adapts.
        learner: `MetaLearner`.

    Returns:
        A list of names, in the order of the network's weights.

    Raises:
        ValueError: the choice is unknown, or no weight adapts; or "head" or "body" is asked for of
            a backbone whose classifier is no layer by itself.
    """
    network: Network = learner.network
    chosen = adapts if callable(adapts) else _chosen(adapts, learner)
    names = [name for name in network.variables if chosen(name)]
    if not names:
        raise ValueError(
            "No weight adapts here: unfreeze what is to adapt. Received: "
            f"adapts={adapts!r}, which names none of the trainable weights "
            f"{list(network.variables)} of {network.model.name!r}."
        )
    return names


def _chosen(adapts, learner):
    if adapts == "all":
        return lambda name: True
    if adapts == "context":
        contexts = by_name(contexts_of(learner.backbone))
        return lambda name: name in contexts
    if adapts in ("head", "body"):
        # Looked for here alone: where all weights adapt, no layer need be the head.
        classifier = learner.classifier
        head = by_name(() if classifier is None else classifier.trainable_variables)
        return lambda name: (name in head) == (adapts == "head")
    raise ValueError(
        f"`adapts` must be one of {CHOICES}, or a function from the name of a weight to bool. "
        f"Received: {adapts!r}."
    )
