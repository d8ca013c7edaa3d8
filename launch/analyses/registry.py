"""The registry of analyses: which there are, of which paper, and which look at tasks.

A row's name is that of a module of `launch.analyses`. The first line of its docstring is what
`launch.analyze --help` says of the analysis, and the keyword arguments of its function `analyze`
are its flags. A new analysis is one file and one row here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Row(NamedTuple):
    """How an analysis stands among the others.

    Attributes:
        group: heading of the list of analyses that it is in.
        looks_at_tasks: whether it measures tasks, and so reads the flags of the data; others read
            what runs left behind.
        measures_with: flags that must have one of some values for anything to be measured. Without
            them the other flags of the analysis, and those of the data, are refused.
    """

    group: str
    looks_at_tasks: bool = True
    measures_with: Mapping[str, tuple[str, ...]] = MappingProxyType({})


_MGAUG, _TICKET, _PRUNING = (
    "Of the MGAug paper",
    "Of the Meta-ticket paper",
    "Of the network pruning paper",
)
_LANDSCAPE, _ANY = "Of the landscape paper", "Of any run"

ANALYSES = {
    "hat": Row(_MGAUG),
    "finetuning": Row(_MGAUG),
    "importance": Row(_MGAUG),
    "attention": Row(_MGAUG),
    "curves": Row(_MGAUG, looks_at_tasks=False),
    "bound": Row(_MGAUG),
    "gradient_norms": Row(_TICKET),
    "widths": Row(_TICKET, looks_at_tasks=False),
    "input_masks": Row(_TICKET, looks_at_tasks=False),
    "sparsity": Row(_TICKET, looks_at_tasks=False),
    "gap": Row(_PRUNING, looks_at_tasks=False),
    "sensitivity": Row(_PRUNING, looks_at_tasks=False),
    "capacity": Row(_PRUNING, looks_at_tasks=False),
    "landscape": Row(_LANDSCAPE, measures_with={"plot": ("runs",)}),
    "representation": Row(_ANY),
    "gradients": Row(_ANY),
}


def module(name):
    """Returns the dotted path of an analysis's module.

    Args:
        name: of its row.
    """
    return f"{__package__}.{name}"
