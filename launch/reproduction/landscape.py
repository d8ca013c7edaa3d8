"""The landscape paper: the runs behind its figures. It has no tables."""

from launch.reproduction.paper import Figure, Panel, Paper, Recipe

_SMALL = ("small", "small_inner_rate", "landscape_small")
_SHOTS = range(2, 16)
_TASKS = {f"mini_imagenet_5way_{shot}shot": f"tasks_{shot}shot" for shot in (1, 5)}


def _run(setting, *files):
    # Omniglot's files have the tasks of training; mini-ImageNet's are the baseline's as well.
    tasks = (_TASKS[setting],) if setting in _TASKS else ()
    return _recipe(setting, (*_SMALL, "landscape_small_tasks"), *tasks, *files)


def _baseline(setting, *files):
    return _recipe(setting, _SMALL, *files)


def _recipe(setting, small, *files):
    return Recipe((f"landscape_{setting}", *(f"landscape_with_{name}" for name in files)), small)


def _both_orders(setting, *files):
    return {"MAML": _run(setting, *files), "FOMAML": _run(setting, "fomaml", *files)}


def _baselines(*files):
    return {
        f"fine-tuning, {shot}-shot": _baseline(
            f"mini_imagenet_5way_{shot}shot", f"fine_tuning_{shot}shot", *files
        )
        for shot in (1, 5)
    }


def _sine(shot):
    return Recipe(("landscape_sine", f"landscape_sine_{shot}shot"), ("landscape_sine_small",))


def _curves(name, runs):
    return Panel(name, "landscape", runs, ("--plot=curves",))


def _correlation(name, runs):
    return Panel(name, "landscape", runs, ("--plot=correlation",))


def _each(make, figure, settings, *files):
    return tuple(make(f"{figure}_{setting}", _both_orders(setting, *files)) for setting in settings)


_OMNIGLOT = tuple(f"omniglot_{way}way_{shot}shot" for way in (5, 20) for shot in (1, 5))
_MINI = tuple(f"mini_imagenet_5way_{shot}shot" for shot in (1, 5))
_FIRST_ORDER = {"FOMAML": _run(_MINI[0], "fomaml")}

_FIGURES = (
    Figure(1, "What the metrics measure", "A drawing: it shows no data."),
    Figure(
        2,
        "Flatness of meta-test solutions, MAML and First-Order MAML, Omniglot and mini-ImageNet",
        "",
        _each(_curves, "figure2", (*_OMNIGLOT, *_MINI)),
    ),
    Figure(
        3,
        "Accuracy, support loss and curvature, First-Order MAML, mini-ImageNet 5-way 1-shot",
        "The paper trains until accuracy falls, for a number of epochs that it doesn't print: 100.",
        (_curves("figure3", _FIRST_ORDER),),
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
        (_correlation("figure5", _both_orders(_MINI[0], "500_tasks")),),
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
                        **_both_orders(f"mini_imagenet_5way_{shot}shot", "500_tasks"),
                        "fine-tuning": _baseline(
                            f"mini_imagenet_5way_{shot}shot",
                            f"fine_tuning_{shot}shot",
                            "500_tasks",
                        ),
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
        (_correlation("figure7", _both_orders(_MINI[1], "one_step", "500_tasks")),),
    ),
    Figure(
        8,
        "Sine regression: coherence of gradients and error, k from 2 to 15",
        "The paper prints neither ranges nor rates nor lengths: ours are in the recipes.",
        (
            _curves("figure8_ab", {"5-shot": _sine(5)}),
            _correlation("figure8_cd", {f"k = {shot}": _sine(shot) for shot in (2, 5, 10, 15)}),
            Panel(
                "figure8_e",
                "landscape",
                {f"k = {shot}": _sine(shot) for shot in _SHOTS},
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
                    "MAML": _run("omniglot_20way_1shot"),
                    "regularized MAML": _run("omniglot_20way_1shot", "coherence"),
                },
            ),
        ),
    ),
    Figure(
        10,
        "Accuracy in training and test, all settings",
        "",
        tuple(
            Panel(f"figure10_{setting}", "curves", _both_orders(setting))
            for setting in (*_OMNIGLOT, *_MINI)
        ),
    ),
    Figure(
        11,
        "Coherence of trajectories and accuracy, full set",
        "",
        (
            *_each(_correlation, "figure11", _MINI[:1], "500_tasks"),
            *(
                _correlation(f"figure11_{setting}", {"MAML": _run(setting, "500_tasks")})
                for setting in (_OMNIGLOT[1], _OMNIGLOT[3])
            ),
        ),
    ),
    Figure(
        12,
        "Coherence of gradients and accuracy, full set",
        "One inner step, in training and test.",
        (
            *_each(_correlation, "figure12", reversed(_MINI), "one_step", "500_tasks"),
            *(
                _correlation(
                    f"figure12_{setting}", {"MAML": _run(setting, "one_step", "500_tasks")}
                )
                for setting in _OMNIGLOT[2:]
            ),
        ),
    ),
)

PAPER = Paper(
    "landscape",
    "Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning",
    (),
    _FIGURES,
)
