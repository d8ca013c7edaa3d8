"""The runs behind the figures of the network pruning paper, and what is drawn of them."""

from launch.papers.network_pruning.experiments import LENGTHS, of_length
from launch.papers.network_pruning.tables import mini_imagenet
from launch.papers.paper import Figure, Panel


def _gaps(method, shot):
    rates = {
        f"{rate} %": mini_imagenet(f"{method}+Reptile 64 {rate}%", shot)
        for rate in (10, 20, 30, 40)
    }
    runs = {"0 %": mini_imagenet("Reptile 64", shot), **rates}
    return Panel(f"figure1_{method.lower()}_{shot}shot", "gap", runs)


def _lengths(figure, method, varied):
    row = f"{method}+Reptile 64 40%"
    values = LENGTHS[figure, varied]
    runs = {str(value): of_length(row, figure, varied, value) for value in values}
    return Panel(figure, "sensitivity", runs, (f"--over={varied}",))


FIGURES = (
    Figure(
        1,
        "Accuracy on training and on test classes at pruning rates from 0 to 40 %, 64 channels",
        "Left: DSD, right: IHT.",
        tuple(_gaps(method, shot) for method in ("DSD", "IHT") for shot in (1, 5)),
    ),
    Figure(
        2,
        "The same without retraining, 64 channels",
        "The paper names neither rate nor shots: 40 % as in Table 3, 1-shot.",
        (
            Panel(
                "figure2",
                "gap",
                {
                    "Reptile": mini_imagenet("Reptile 64", 1),
                    **{
                        f"{method} without retraining": mini_imagenet(
                            f"{method}+Reptile 64 40% without retraining", 1
                        )
                        for method in ("DSD", "IHT")
                    },
                },
            ),
        ),
    ),
    Figure(
        3,
        "DSD: the number of steps of pre-training and of retraining",
        "The paper's text names no values, channels or rates: 64 channels, 40 %, 1-shot.",
        (
            _lengths("figure3a", "DSD", "dense"),
            _lengths("figure3b", "DSD", "retrain"),
        ),
    ),
    Figure(
        4,
        "IHT: the share of sparse steps in an interval, and the length of intervals",
        "64 channels, 40 %, 1-shot.",
        (
            _lengths("figure4a", "IHT", "ratio"),
            _lengths("figure4b", "IHT", "interval"),
        ),
    ),
)
