"""The network pruning paper's experiments on Omniglot with Reptile.

"Section" is the paper's, "Code" is what Reptile's authors published. The text that we have leaves
the numbers on Omniglot to an appendix, so that no table here has them.
"""

from launch.papers.network_pruning.experiments import PHASES, REPTILE, SMALL, small_phases
from launch.papers.paper import Recipe

# Strided convolutions have no pooling to pad or to place.
_POOLING = ("pool_first", "pool_padding")
_EVERYWHERE = {
    **{name: value for name, value in REPTILE.items() if name not in _POOLING},
    "data": "omniglot",
    # Code: training classes are turned by 90, 180 and 270 degrees too, and 1200 classes are drawn
    # at random for training; ours are Vinyals' split.
    "rotations": True,
    "image_size": 28,
    # Code: strided convolutions of 64 channels.
    "pooling": "strided",
    "filters": 64,
}
# The commands in the README of supervised-reptile, by ways and shots. All are tested with the
# statistics of the queries, as in Tables 1 to 3; the README tests 5-way 5-shot and
# 20-way without.
COMMANDS = {
    (5, 1): {
        "inner_batch": 25,
        "inner_steps": 3,
        "inner_learning_rate": 0.001,
        "learning_rate": 1,
        "tasks": 10,
        "epochs": 100,
        "evaluation_batch": 25,
        "test_inner_steps": 5,
        "train_shot": 15,
    },
    (5, 5): {
        "inner_batch": 10,
        "inner_steps": 5,
        "inner_learning_rate": 0.0015,
        "learning_rate": 0.7,
        "tasks": 5,
        "epochs": 100,
        "evaluation_batch": 6,
        "test_inner_steps": 100,
        "train_shot": 10,
    },
    (20, 1): {
        "inner_batch": 15,
        "inner_steps": 12,
        "inner_learning_rate": 0.00046,
        "learning_rate": 1,
        "tasks": 3,
        "epochs": 200,
        "evaluation_batch": 10,
        "test_inner_steps": 97,
        "train_shot": 9,
    },
    (20, 5): {
        "inner_batch": 20,
        "inner_steps": 12,
        "inner_learning_rate": 0.00046,
        "learning_rate": 1,
        "tasks": 3,
        "epochs": 200,
        "evaluation_batch": 10,
        "test_inner_steps": 97,
        "train_shot": 12,
    },
}
_RATE = 40  # percent; ours, as in Table 3


def _recipe(way, shot, method=None):
    full = {**_EVERYWHERE, "way": way, "shot": shot, **COMMANDS[way, shot]}
    if method is not None:
        # Section 5.1's phases on mini-ImageNet, as shares of the run: 20-way is twice as long.
        longer = full["epochs"] // 100
        phases = PHASES[method].items()
        full |= {k: v * longer if isinstance(v, int) and k != "pruning_rounds" else v
                 for k, v in phases}  # fmt: skip
        full["pruning_rates"] = [_RATE / 100]
    added = f"+{method}-{_RATE}" if method else ""
    name = f"network_pruning/omniglot/{way}-way-{shot}-shot/reptile-64{added}"
    return Recipe(name, full, {**full, **SMALL, **small_phases(full)})


OMNIGLOT = tuple(
    _recipe(way, shot, method) for way, shot in COMMANDS for method in (None, "dsd", "iht")
)
