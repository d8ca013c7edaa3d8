"""The landscape paper's experiments: every setting, with where it comes from.

The paper is by Guiroy et al.; "Section" and "Appendix" are its own. cbfinn/maml is the code of Finn
et al., whose setup it follows. That code divides its classification loss by the shots, not by the
number of images: its inner rates are `way` times as large on the mean loss that is ours. Its 0.01
for mini-ImageNet is 0.05 here, its 0.4 for Omniglot 5-way is 2.0.
"""

import math

from launch.papers.paper import Recipe
from launch.papers.small import SMALL, SMALL_INNER_RATE

MAML = {
    # Section 5: MAML; Appendix A.3: five inner steps, in training and test.
    "learner": "maml",
    "mask": "none",
    "inner_steps": 5,
    "statistics": "transductive",
    # The paper prints none, and its code is not published: TensorFlow's default, cbfinn/maml's.
    "normalization_epsilon": 0.001,
    # Appendix A.3: 100 epochs of 500 iterations, Adam, 0.001, no schedule.
    "steps_per_epoch": 500,
    "epochs": 100,
    "optimizer": "adam",
    "learning_rate": 0.001,
    "schedule": "constant",
    # The paper prints no number of queries: in tests 15 a class are ours.
    "query": 15,
    "validation_episodes": 100,
    "test_episodes": 600,
    # Section 5.1: after each epoch, on 60 fixed tasks of test classes.
    "landscape_every": 1,
    "landscape_tasks": 60,
}
DATA = {
    "omniglot": {
        # Appendix A.1, A.2: 28 x 28, strided convolutions instead of pooling, 64 filters. The paper
        # prints no split: ours is Vinyals' (1028 characters for training, 172 for validation, 423
        # for tests). Finn et al. draw 1200 for training, of which their code takes 100 for
        # validation, from all alphabets, and test on the other 423. Rotations are classes of their
        # own, as in their code.
        "data": "omniglot",
        "rotations": True,
        "image_size": 28,
        "backbone": "conv4",
        "pooling": "strided",
        "filters": 64,
        # Appendix A.3, taken to be of the mean loss, which the paper doesn't say.
        "inner_learning_rate": 0.1,
    },
    "mini_imagenet": {
        # Appendix A.1, A.2: 84 x 84, 48 filters. The paper has 64/12/24 classes; the published
        # list, ours, has 64/16/20.
        "data": "mini_imagenet",
        "image_size": 84,
        "backbone": "conv4",
        "filters": 48,
        # Appendix A.3, taken to be of the mean loss as well.
        "inner_learning_rate": 0.01,
    },
}
# Appendix A.3 has the number of tasks a step. The paper prints no number of queries: ours are as
# many as shots, which cbfinn/maml has on Omniglot (on mini-ImageNet it trains with 15).
TASKS = {
    ("omniglot", 1): {"tasks": 16, "train_query": 1},
    ("omniglot", 5): {"tasks": 8, "train_query": 5},
    ("mini_imagenet", 1): {"tasks": 4, "train_query": 1},
    ("mini_imagenet", 5): {"tasks": 2, "train_query": 5},
}
# Figure 10: accuracy on tasks of training and of test classes after each epoch; the number is ours.
TESTED = {"gap_episodes": 100}
# What is changed, by the words that a recipe's name has for it.
VARIANTS = {
    # Section 3.1: first order.
    "first_order": {"learner": "fomaml"},
    # Section 5.3: one inner step, in training and test, where gradients are looked at.
    "one_step": {"inner_steps": 1},
    # Section 5.2: 500 tasks after each epoch, for trajectories and gradients; without curvature.
    # (The paper draws others each time; ours stay the same.)
    "500_tasks": {"landscape_tasks": 500, "landscape_curvature": False},
    # Section 6, Algorithm 1: gamma = 0.5.
    "coherence": {"regularizers": ["trajectory_coherence"], "coherence_gamma": 0.5},
}
BASELINES = {
    # Section 3.2, Appendix A.3: the baseline, 64 images a step, 25 steps an epoch.
    1: {"learner": "fine_tuning", "batch_size": 64, "steps_per_epoch": 25},
    # Section 3.2, Appendix A.3: the baseline, 128 images a step, 12 steps an epoch.
    5: {"learner": "fine_tuning", "batch_size": 128, "steps_per_epoch": 12},
}
SINE = {
    # Section 5.3.1: sine regression, y = a sin(bx + c). Appendix A.4: two hidden layers of 40,
    # domain [-5, 5], mean squared error, disjoint ranges of amplitude and phase. The ranges are not
    # printed: these are ours, with b = 1.
    "data": "sinusoids",
    "train_amplitude": [0.1, 3],
    "train_phase": [0, math.pi / 2],
    "test_amplitude": [3, 5],
    "test_phase": [math.pi / 2, math.pi],
    "backbone": "mlp",
    "hidden": [40, 40],
    "learner": "maml",
    "mask": "none",
    "inner_steps": 1,
    # The paper prints none: 0.01 and Adam are of Finn et al., Section 5.1, and 0.001 is the outer
    # rate of their code, whose inner rate is 0.001 unless a flag says otherwise. Its loss of
    # sinusoids is a mean, as ours.
    "inner_learning_rate": 0.01,
    "optimizer": "adam",
    "learning_rate": 0.001,
    # Figure 8: one task a batch, 250 epochs; their length, 200, is ours.
    "tasks": 1,
    "train_query": 10,
    "query": 50,
    "steps_per_epoch": 200,
    "epochs": 250,
    "validation_episodes": 100,
    "test_episodes": 600,
    "landscape_every": 5,
    "landscape_tasks": 100,
    "landscape_curvature": False,
}
_SMALL = {**SMALL, **SMALL_INNER_RATE, "landscape_tasks": 20}
# The small form of training tasks: few, of few queries.
_SMALL_TASKS = {"train_query": 5, "tasks": 4, "gap_episodes": 20}
# The small form of the sine regression: the same tasks and network, fewer of everything.
_SMALL_SINE = {
    "tasks": 4,
    "steps_per_epoch": 100,
    "epochs": 12,
    "landscape_every": 1,
    "landscape_tasks": 50,
    "validation_episodes": 20,
    "test_episodes": 100,
}


def maml(data, way, shot, *variants):
    """Makes the recipe of MAML.

    Args:
        data: "omniglot" or "mini_imagenet".
        way: 5 or 20.
        shot: 1 or 5.
        *variants: of `VARIANTS`.

    Returns:
        A `Recipe`.
    """
    full = {**DATA[data], "way": way, "shot": shot, **MAML, **TESTED, **TASKS[data, shot]}
    return _recipe(f"{data}/{way}-way-{shot}-shot/maml", full, _SMALL_TASKS, variants)


def fine_tuning(shot, *variants):
    """Makes the recipe of the baseline, which has no tasks in training; mini-ImageNet, 5-way.

    Args:
        shot: 1 or 5.
        *variants: of `VARIANTS`.

    Returns:
        A `Recipe`.
    """
    full = {**DATA["mini_imagenet"], "way": 5, "shot": shot, **MAML, **BASELINES[shot]}
    return _recipe(f"mini_imagenet/5-way-{shot}-shot/fine_tuning", full, {}, variants)


def sine(shot):
    """Makes the recipe of sine regression.

    Args:
        shot: points to adapt on, k of Figure 8.

    Returns:
        A `Recipe`.
    """
    full = {**SINE, "shot": shot}
    return Recipe(f"landscape/sine/{shot}-shot/maml", full, {**full, **_SMALL_SINE})


def _recipe(name, full, small, variants):
    for variant in variants:
        full = {**full, **VARIANTS[variant]}
    name = "+".join([f"landscape/{name}", *variants])
    return Recipe(name, full, {**full, **_SMALL, **small})
