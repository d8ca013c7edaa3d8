"""The network pruning paper's experiments with CAVIA and MetaOptNet: Table 4.

"Section" is the paper's, "Code" is what the authors of the two learners published.
"""

from launch.papers.network_pruning.experiments import DATA, small_phases
from launch.papers.paper import Recipe
from launch.papers.small import SMALL

EVERYWHERE = {
    **DATA["mini_imagenet"],
    "way": 5,
    "image_size": 84,
    # CAVIA's and MetaOptNet's code: PyTorch's default.
    "normalization_epsilon": 1e-5,
    # CAVIA's and MetaOptNet's code: the network of the best validation, tested on 15 queries a
    # class.
    "query": 15,
    "keep": "best",
    # No sub-networks.
    "mask": "none",
}
# CAVIA's code (cavia_eval.py): 4 tasks for 1-shot, 2 for 5-shot. (MetaOptNet has its own.)
TASKS = {1: 4, 5: 2}
LEARNERS = {
    # CAVIA: Section 5.3 has the settings of Zintgraf et al., 2019, and these are those of their
    # code (lmzintgraf/cavia, classification/) where nothing else is said.
    "cavia": {
        "learner": "cavia",
        "inner_steps": 2,
        "inner_learning_rate": 1,
        "learn_inner_rates": "no",
        "context": 100,
        "context_blocks": [3],
        # Table 4: 128-128-128-128.
        "backbone": "conv4",
        "filters": 128,
        # Code: normalization tracks no averages.
        "statistics": "transductive",
        # Code: Adam, 0.001 times 0.9 after every 5000 steps; entries of the averaged meta-gradient
        # clipped.
        "optimizer": "adam",
        "learning_rate": 0.001,
        "clip_gradients": 10,
        "schedule": "steps",
        "schedule_epochs": [51, 101, 151, 201, 251, 301, 351, 401, 451, 501, 551],
        "schedule_factors": [
            *(0.9, 0.81, 0.729, 0.6561, 0.59049, 0.531441, 0.478297, 0.430467),
            *(0.38742, 0.348678, 0.313811),
        ],
        # Code: 60 000 steps, validated every 100 on 500 tasks, tested on 500.
        "epochs": 600,
        "steps_per_epoch": 100,
        "validation_episodes": 500,
        "test_episodes": 500,
        "train_query": 15,
    },
    # MetaOptNet: Section 5.3 has ResNet-12 and the SVM of Lee et al., 2019, and the rest is of
    # their Section 4.1 and code (kjunelee/MetaOptNet, train.py and test.py).
    "metaoptnet": {
        "learner": "metaoptnet",
        "head": "svm",
        "svm_cost": 0.1,
        "backbone": "resnet12",
        "filters": 64,
        "regularizers": ["drop_block", "label_smoothing"],
        # Code: a crop of 84 x 84 of the image padded by 8 pixels, jitter of 0.4 and flips.
        "augment_images": True,
        "image_crop": "padded",
        # Code: queries normalize themselves in training, and running averages normalize them in
        # tests.
        "statistics": "running",
        "tasks": 8,
        "train_way": 5,
        "train_shot": 15,
        "train_query": 6,
        # 0.1, then 0.006, 0.0012 and 0.00024 from epochs 20, 40 and 50 on (by the code, counted
        # from 1).
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.0005,
        "learning_rate": 0.1,
        "schedule": "steps",
        "schedule_epochs": [20, 40, 50],
        "schedule_factors": [0.06, 0.012, 0.0024],
        "epochs": 60,
        "steps_per_epoch": 1000,
        # Code: one training, validated in 5-shot, serves both columns. Ours validates in the test's
        # shots.
        "validation_episodes": 2000,
        "test_episodes": 1000,
    },
}
# Phases, of 60 000 steps. The text doesn't give Table 4's (Appendix B.3 is not in it).
PHASES = {
    "dsd": {
        # Section 5.1's shares of the whole, 30, 60 and 10 %.
        "pruning": "dsd",
        "pruning_dense": 18000,
        "pruning_sparse": 36000,
        # What the phases end with: the best validation may be of an earlier one.
        "keep": "last",
    },
    "iht": {
        # Section 5.1's shares of the whole, 20 % dense, then 4 rounds of 15 % sparse and 5 % dense.
        "pruning": "iht",
        "pruning_dense": 12000,
        "pruning_sparse": 9000,
        "pruning_retrain": 3000,
        "pruning_rounds": 4,
        # What the phases end with: the best validation may be of an earlier one.
        "keep": "last",
    },
}
# Section 5.3: "the dropout in the network is replaced by our method".
WITHOUT_DROP_BLOCK = {"regularizers": ["label_smoothing"]}
# The small form: 240 steps.
SMALL_OF = {
    "cavia": {
        # The rate falls three times. With fewer channels, tasks or queries, or at a lower rate, so
        # few steps end near chance.
        "filters": 32,
        "tasks": 8,
        "inner_learning_rate": 1,
        "learning_rate": 0.005,
        "schedule_epochs": [3, 5, 7],
        "schedule_factors": [0.9, 0.81, 0.729],
    },
    "metaoptnet": {
        "image_crop": "square",  # 8 pixels would be much of 28
        # The rate falls at about the same shares. A character has 20 images.
        "train_shot": 5,
        "learning_rate": 0.1,
        "schedule_epochs": [4, 6, 8],
    },
}


def recipe(learner, shot, method=None, rate=None):
    """Makes the recipe of a cell of Table 4.

    Args:
        learner: "cavia" or "metaoptnet".
        shot: 1 or 5.
        method: "dsd" or "iht"; None: the baseline.
        rate: percent pruned.

    Returns:
        A `Recipe`.
    """
    full = {**EVERYWHERE, "shot": shot, "tasks": TASKS[shot], **LEARNERS[learner]}
    name = f"network_pruning/table4/{shot}-shot/{learner}"
    if method:
        full |= WITHOUT_DROP_BLOCK if learner == "metaoptnet" else {}
        # The share of each kernel pruned, the classifier's included.
        full |= {**PHASES[method], "pruning_rates": [rate / 100]}
        name += f"+{method}-{rate}"
    return Recipe(name, full, {**full, **SMALL, **SMALL_OF[learner], **small_phases(full)})
