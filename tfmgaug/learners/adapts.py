"""The choice of weights that the inner loop changes."""

from collections.abc import Callable

from tfmgaug.engine.network import Network
from tfmgaug.engine.params import by_name
from tfmgaug.layers.context import contexts_of

CHOICES = ("all", "head", "body", "context")
Adapts = str | Callable[[str], bool]


def adapting_names(adapts: Adapts, network: Network, classifier) -> list[str]:
    """Finds the weights that the inner loop changes.

    Args:
        adapts: "all", "head" (the classifier), "body" (all but the classifier), "context" (what
            `tfmgaug.layers.Context` holds), or a function from the name of a weight, such as
            "conv1_kernel", to whether it adapts.
        network: `Network`.
        classifier: the layer that makes the logits, or None.

    Returns:
        A list of names, in the order of the network's weights.

    Raises:
        ValueError: the choice is unknown, or no weight adapts.
    """
    head = set(by_name(classifier.trainable_variables if classifier is not None else ()))
    contexts = set(by_name(contexts_of(network.model)))
    choices = {
        "all": lambda name: True,
        "head": lambda name: name in head,
        "body": lambda name: name not in head,
        "context": lambda name: name in contexts,
    }
    chosen = adapts if callable(adapts) else choices.get(adapts)
    if chosen is None:
        raise ValueError(
            f"`adapts` must be one of {CHOICES}, or a function from the name of a weight to bool. "
            f"Received: {adapts!r}."
        )
    names = [name for name in network.variables if chosen(name)]
    if not names:
        raise ValueError(
            "No weight adapts here: unfreeze what is to adapt. Received: "
            f"adapts={adapts!r}, which names none of the trainable weights "
            f"{list(network.variables)} of {network.model.name!r}."
        )
    return names
