"""The network pruning paper's experiments with Reptile: every setting, with where it comes from.

"Section" is the paper's, "Code" is what Reptile's authors published.
"""

import re

from launch.papers.paper import Recipe
from launch.papers.small import SMALL as SMALL_OF_ALL

DATA = {
    "mini_imagenet": {
        # Section 5.1: 64/12/24 classes; ours are the field's 64/16/20, the lists of Ravi and
        # Larochelle.
        "data": "mini_imagenet",
    },
    "tiered_imagenet": {
        # Section 5.1: 351/97/160 classes.
        "data": "tiered_imagenet",
    },
}
# "Identical to those in" Reptile: the commands in the README of supervised-reptile for transductive
# 5-way mini-ImageNet. (The printed baselines are near Reptile's transductive ones.)
REPTILE = {
    "way": 5,
    "image_size": 84,
    # The network of Reptile (supervised_reptile/models.py): Conv-4, whose pooling pads, 84 -> 42 ->
    # 21 -> 11 -> 6, and comes before normalization. Its width is the row's.
    "backbone": "conv4",
    "pool_padding": "same",
    "pool_first": True,
    # Code: TensorFlow's default.
    "normalization_epsilon": 0.001,
    "learner": "reptile",
    "statistics": "transductive",
    "inner_optimizer": "adam",
    "inner_beta_1": 0,
    "inner_learning_rate": 0.001,
    "inner_reduction": "sum",
    "inner_batch": 10,
    "inner_steps": 8,
    "test_inner_steps": 50,
    "train_shot": 15,
    "tasks": 5,
    # Code: Adam's slots are kept from task to task, which are run one after another.
    "carry_slots": True,
    "parallel_tasks": 1,
    # theta + epsilon * mean(phi - theta), epsilon from 1 to 0.
    "optimizer": "sgd",
    "learning_rate": 1,
    "schedule": "linear",
    "epochs": 100,
    "steps_per_epoch": 1000,
    # Code: the last network is tested, on one query a class. Test episodes: ours, for the printed
    # interval of 0.45 points.
    "keep": "last",
    "train_query": 1,
    "query": 1,
    "validation_episodes": 100,
    "gap_episodes": 100,
    "test_episodes": 10000,
    # No sub-networks.
    "mask": "none",
}
EVALUATION_BATCHES = {1: 5, 5: 15}  # of shots

# Phases, of 100 000 steps.
PHASES = {
    # Section 5.1, widths 64, 128 and 256: 30 000, 60 000 and 10 000 steps.
    "dsd": {"pruning": "dsd", "pruning_dense": 30000, "pruning_sparse": 60000},
    # Section 5.1, width 32, and all widths on tiered-ImageNet: 30 000, 50 000 and 20 000 steps.
    "dsd_early": {"pruning": "dsd", "pruning_dense": 30000, "pruning_sparse": 50000},
    # Section 5.1: 20 000 steps dense, then 4 rounds of 15 000 sparse and 5 000 dense.
    "iht": {
        "pruning": "iht",
        "pruning_dense": 20000,
        "pruning_sparse": 15000,
        "pruning_retrain": 5000,
        "pruning_rounds": 4,
    },
}
# Table 3.
ABLATIONS = {
    # Without retraining: the network stays sparse, in tests too.
    ("dsd", "retraining"): {"pruning_retrain": 0},
    ("iht", "retraining"): {"pruning_retrain": 0},
    # DSD without pre-training: pruned from the start, and 100 000 steps in all.
    ("dsd", "pretraining"): {"pruning_dense": 0, "pruning_sparse": 90000},
    # IHT without pre-training: 5 rounds, and 100 000 steps in all.
    ("iht", "pretraining"): {"pruning_dense": 0, "pruning_rounds": 5},
}
# Figures 3 and 4, what is varied, its values, and the phases that a value stands for.
LENGTHS = {
    # Thousands of steps of pre-training; the values are ours.
    ("figure3a", "dense"): {
        value: {"pruning_dense": 1000 * value, "pruning_sparse": 90000 - 1000 * value}
        for value in (10, 30, 50)
    },
    # Thousands of steps of retraining; the values are ours.
    ("figure3b", "retrain"): {
        value: {"pruning_dense": 30000, "pruning_sparse": 70000 - 1000 * value}
        for value in (10, 30, 50)
    },
    # Percent of an interval that are sparse; the values are ours.
    ("figure4a", "ratio"): {
        value: {
            "pruning_dense": 20000,
            "pruning_sparse": 200 * value,
            "pruning_retrain": 20000 - 200 * value,
        }
        for value in (25, 50, 75)
    },
    # Intervals of thousands of steps, the range of the text.
    ("figure4b", "interval"): {
        value: {
            "pruning_dense": 20000,
            "pruning_sparse": 750 * value,
            "pruning_retrain": 250 * value,
            "pruning_rounds": 80 // value,
        }
        for value in (5, 10, 20)
    },
}

SMALL = {
    # 240 steps, and tests that don't take longer.
    **SMALL_OF_ALL,
    "train_shot": 5,
    "test_inner_steps": 10,
    "learning_rate": 1,
    "inner_learning_rate": 0.005,
    "query": 5,
    "train_query": 5,
    "gap_episodes": 40,
}

_ROW = re.compile(r"(?:(DSD|IHT)\+)?Reptile (\d+)(?: (\d+)%)?(?: without (\w+))?")


def recipe(row, data, shot, where):
    """Makes the recipe of a row of Tables 1 to 3.

    Args:
        row: its label, such as "DSD+Reptile 64 40% without retraining".
        data: "mini_imagenet" or "tiered_imagenet".
        shot: 1 or 5.
        where: the first table or figure that has it, such as "table1".

    Returns:
        A `Recipe`.
    """
    method, width, rate, without = _ROW.fullmatch(row).groups()
    name = f"network_pruning/{where}/{shot}-shot/reptile-{width}"
    name += f"+{method.lower()}-{rate}" if method else ""
    name += f"+no-{without}" if without else ""
    return _recipe(name, _settings(row, data, shot))


def of_length(row, figure, varied, value):
    """Makes the recipe of a point of Figures 3 and 4, 1-shot on mini-ImageNet.

    Args:
        row: label of the row of which it is a variant.
        figure: such as "figure3a".
        varied: what is varied: "dense", "retrain", "ratio" or "interval".
        value: one of those in `LENGTHS`.

    Returns:
        A `Recipe`.
    """
    full = {**_settings(row, "mini_imagenet", 1), **LENGTHS[figure, varied][value]}
    return _recipe(f"network_pruning/{figure}/{varied}-{value}", full)


def _settings(row, data, shot):
    method, width, rate, without = _ROW.fullmatch(row).groups()
    full = {
        **DATA[data],
        "shot": shot,
        **REPTILE,
        "evaluation_batch": EVALUATION_BATCHES[shot],
        "filters": int(width),  # channels of each block of Conv-4
    }
    if method is None:
        return full
    method = method.lower()
    early = method == "dsd" and (width == "32" or data == "tiered_imagenet")
    return {
        **full,
        **PHASES["dsd_early" if early else method],
        # The share of each kernel pruned, the classifier's included.
        "pruning_rates": [int(rate) / 100],
        **(ABLATIONS[method, without] if without else {}),
    }


def _recipe(name, full):
    return Recipe(name, full, {**full, **SMALL, **small_phases(full)})


def small_phases(full):
    """Returns the phases of the small form: the same shares of its 240 steps.

    Args:
        full: dictionary, the settings of the full form.
    """
    steps = SMALL_OF_ALL["epochs"] * SMALL_OF_ALL["steps_per_epoch"]
    whole = full["epochs"] * full["steps_per_epoch"]
    names = ("pruning_dense", "pruning_sparse", "pruning_retrain")
    return {name: full[name] * steps // whole for name in names if name in full}
