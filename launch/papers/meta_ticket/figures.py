"""The runs behind the figures of the Meta-ticket paper, and what is drawn of them."""

from launch.papers.meta_ticket.experiments import (
    RATES,
    WIDTHS,
    constant_weights,
    of_width,
    with_rate,
)
from launch.papers.paper import Figure, Panel

_CURVES = {
    "MAML": "maml",
    "Meta-ticket": "meta_ticket",
    "Meta-ticket + IteRand": "meta_ticket+iterand",
}


def _rates():
    """Figure 2: MAML and Meta-ticket, each with three inner learning rates."""
    learners = {"MAML": "maml", "Meta-ticket": "meta_ticket"}
    return {
        f"{label} {rate}": with_rate(row, rate) for label, row in learners.items() for rate in RATES
    }


def _widths(way):
    """The curves of one panel of Figure 3, each of all width factors."""
    return {
        label: [of_width(way, row, width) for width in WIDTHS] for label, row in _CURVES.items()
    }


FIGURES = (
    Figure(1, "A subnetwork that adapts to tasks", "A drawing: it shows no data."),
    Figure(
        2,
        "Mean absolute task gradient of the last feature layer, 5-layer MLP on CIFAR-FS",
        "The paper doesn't print its inner learning rates: 0.1, 0.5 (that of Table 1) and 1.",
        (Panel("figure2", "gradient_norms", _rates()),),
    ),
    Figure(
        3,
        "Accuracy on Omniglot 5-shot against the MLP's width factor",
        "The factors, 1 to 8, and IteRand's share, 1, are the code's.",
        (
            Panel("figure3_5way", "widths", _widths(5)),
            Panel("figure3_20way", "widths", _widths(20)),
        ),
    ),
    Figure(
        4,
        "Masks of the first layer, all weights of which are the same constant",
        "Omniglot 5-way 5-shot, three inner steps; constant and width are the code's. The text "
        "gives its accuracy: 71.59 ± 1.51.",
        (Panel("figure4", "input_masks", {"Meta-ticket": constant_weights()}),),
    ),
)
