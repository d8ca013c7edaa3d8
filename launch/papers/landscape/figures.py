"""The runs behind the figures of the landscape paper, and what is drawn of them."""

from launch.papers.landscape.experiments import fine_tuning, maml, sine
from launch.papers.paper import Figure, Panel

# Data, way and shot.
_OMNIGLOT = tuple(("omniglot", way, shot) for way in (5, 20) for shot in (1, 5))
_MINI_1, _MINI_5 = ("mini_imagenet", 5, 1), ("mini_imagenet", 5, 5)
_SETTINGS = (*_OMNIGLOT, _MINI_1, _MINI_5)
_SHOTS = range(2, 16)


def _both_orders(setting, *variants):
    return {
        "MAML": maml(*setting, *variants),
        "FOMAML": maml(*setting, "first_order", *variants),
    }


def _baselines(*variants):
    return {f"fine-tuning, {shot}-shot": fine_tuning(shot, *variants) for shot in (1, 5)}


def _curves(name, runs):
    return Panel(name, "landscape", runs, ("--plot=curves",))


def _correlation(name, runs):
    return Panel(name, "landscape", runs, ("--plot=correlation",))


def _panel_for_each(make, figure, settings, *variants):
    return tuple(
        make(f"{figure}_{_file(setting)}", _both_orders(setting, *variants)) for setting in settings
    )


def _file(setting):
    """The name of the files of a setting's panel."""
    data, way, shot = setting
    return f"{data}_{way}way_{shot}shot"


FIGURES = (
    Figure(1, "What the metrics measure", "A drawing: it shows no data."),
    Figure(
        2,
        "Flatness of meta-test solutions, MAML and First-Order MAML, Omniglot and mini-ImageNet",
        "",
        _panel_for_each(_curves, "figure2", _SETTINGS),
    ),
    Figure(
        3,
        "Accuracy, support loss and curvature, First-Order MAML, mini-ImageNet 5-way 1-shot",
        "The paper trains until accuracy falls, for a number of epochs that it doesn't print: 100.",
        (_curves("figure3", {"FOMAML": maml(*_MINI_1, "first_order")}),),
    ),
    Figure(
        4,
        "The same of the fine-tuning baseline",
        "The paper's 5-way runs have one head a task drawn anew, ours one for all tasks.",
        (_curves("figure4", _baselines()),),
    ),
    Figure(
        5,
        "Coherence of trajectories and accuracy, mini-ImageNet 5-way 1-shot",
        "500 tasks, the same after every epoch; the paper draws others each time.",
        (_correlation("figure5", _both_orders(_MINI_1, "500_tasks")),),
    ),
    Figure(
        6,
        "Coherence of the fine-tuning baseline, and norms of trajectories of all algorithms",
        "",
        (
            _curves("figure6_ab", _baselines("500_tasks")),
            *(
                _curves(
                    f"figure6_{letter}",
                    {
                        **_both_orders(("mini_imagenet", 5, shot), "500_tasks"),
                        "fine-tuning": fine_tuning(shot, "500_tasks"),
                    },
                )
                for letter, shot in (("c", 1), ("d", 5))
            ),
        ),
    ),
    Figure(
        7,
        "Coherence of gradients and accuracy, mini-ImageNet 5-way 5-shot",
        "One inner step, in training and test.",
        (_correlation("figure7", _both_orders(_MINI_5, "one_step", "500_tasks")),),
    ),
    Figure(
        8,
        "Sine regression: coherence of gradients and error, k from 2 to 15",
        "The paper prints neither ranges nor rates nor lengths: ours are in the recipes.",
        (
            _curves("figure8_ab", {"5-shot": sine(5)}),
            _correlation("figure8_cd", {f"k = {shot}": sine(shot) for shot in (2, 5, 10, 15)}),
            Panel(
                "figure8_e",
                "landscape",
                {f"k = {shot}": sine(shot) for shot in _SHOTS},
                ("--plot=runs", "--episodes=500"),
            ),
        ),
    ),
    Figure(
        9,
        "Accuracy of regularized MAML, Omniglot 20-way 1-shot",
        "The paper: 94.05 % without, 95.38 % with the penalty, over five trials of 600 tasks.",
        (
            _curves(
                "figure9",
                {
                    "MAML": maml("omniglot", 20, 1),
                    "regularized MAML": maml("omniglot", 20, 1, "coherence"),
                },
            ),
        ),
    ),
    Figure(
        10,
        "Accuracy on tasks of training and of test classes, all settings",
        "The paper prints no number of tasks: 100 of each, the same after every epoch.",
        tuple(
            Panel(f"figure10_{_file(setting)}", "gap", _both_orders(setting))
            for setting in _SETTINGS
        ),
    ),
    Figure(
        11,
        "Coherence of trajectories and accuracy, full set",
        "",
        (
            *_panel_for_each(_correlation, "figure11", [_MINI_1], "500_tasks"),
            *(
                _correlation(f"figure11_{_file(setting)}", {"MAML": maml(*setting, "500_tasks")})
                for setting in (_OMNIGLOT[1], _OMNIGLOT[3])
            ),
        ),
    ),
    Figure(
        12,
        "Coherence of gradients and accuracy, full set",
        "One inner step, in training and test.",
        (
            *_panel_for_each(_correlation, "figure12", (_MINI_5, _MINI_1), "one_step", "500_tasks"),
            *(
                _correlation(
                    f"figure12_{_file(setting)}", {"MAML": maml(*setting, "one_step", "500_tasks")}
                )
                for setting in _OMNIGLOT[2:]
            ),
        ),
    ),
)
