"""The Meta-ticket paper's experiments: every setting, with where it comes from.

"Section" is the paper's, "Code" is what its authors published.
"""

from launch.papers.paper import Recipe
from launch.papers.small import SMALL as SMALL_OF_ALL

EVERYWHERE = {
    "shot": 5,
    # Code: second order, one step.
    "learner": "maml",
    "inner_steps": 1,
    "learn_inner_rates": "no",
    # Code: AdamW without decay, which is Adam; constant.
    "optimizer": "adam",
    "schedule": "constant",
    # Code: 30 000 outer steps of 4 tasks, validated every 1000 on 200 tasks; the last weights are
    # tested.
    "keep": "last",
    "tasks": 4,
    "steps_per_epoch": 1000,
    "epochs": 30,
    "validation_episodes": 200,
    # Code: as many queries as shots, 1000 test tasks; batch statistics of the queries.
    "train_query": 5,
    "query": 5,
    "test_episodes": 1000,
    "statistics": "transductive",
    # Nothing of MGAug.
    "mask": "none",
}
MLP = {
    "image_size": 32,
    "way": 5,
    # Section 4.1.3 prints no sizes: the code's.
    "backbone": "mlp",
    "hidden": [1024, 512, 256, 128],
    # Code: not PyTorch's default, which its convolutional networks have.
    "normalization_epsilon": 0.001,
    # Code: one step of 0.5 in training and in tests.
    "inner_learning_rate": 0.5,
    # Code.
    "learning_rate": 0.001,
}
LARGE = {
    "data": "mini_imagenet",
    "image_size": 84,
    "way": 5,
    # Code: PyTorch's default.
    "normalization_epsilon": 1e-5,
    # Code, after BOIL's: one step of 0.3 in training and in tests.
    "inner_learning_rate": 0.3,
    # Code.
    "learning_rate": 0.0006,
}
OMNIGLOT = {
    # Code: torchmeta's split, which is Vinyals', and rotations as classes of their own in all sets.
    "data": "omniglot",
    "rotations": True,
    "image_size": 28,
    # Section 4.1 prints no sizes: the code's, times the width factor.
    "backbone": "mlp",
    "hidden": [256, 128, 64, 64],
    # Code: not PyTorch's default, which its convolutional networks have.
    "normalization_epsilon": 0.001,
    # Code: one step of 0.4 in training, three in tests.
    "test_inner_steps": 3,
    "inner_learning_rate": 0.4,
    # Code.
    "learning_rate": 0.001,
}
# How networks start, by what they are.
STARTS = {
    # Code: all kernels kaiming-normal, the classifier's too, whatever the method.
    "mlp": {"kernel_initializer": "kaiming_normal"},
    # Code: the classifier keeps PyTorch's default start, whatever the method.
    "resnet12": {"head_initializer": "fan_in_uniform"},
    # The same. (Of MAML, ANIL and BOIL the convolutions do so too in the code; ours are He-normal.)
    "wide_resnet": {"head_initializer": "fan_in_uniform"},
}
# The same where Meta-ticket draws the weights.
TICKET_STARTS = {
    # "weight_initializer" draws all.
    "mlp": {},
    "resnet12": {**STARTS["resnet12"], "draw_classifier": False},
    "wide_resnet": {**STARTS["wide_resnet"], "draw_classifier": False},
}
TRAINED = {
    "table1/cifar_fs": {**MLP, "data": "cifar_fs"},
    "table1/vgg_flowers": {
        **MLP,
        # The classes of L2B (Lee et al., 2020), which are Meta-Dataset's.
        "data": "vgg_flowers",
    },
    "table2/resnet12": {
        **LARGE,
        # Code: these channels, not the 64, 160, 320 and 640 of others.
        "backbone": "resnet12",
        "block_filters": [64, 128, 256, 512],
    },
    "table2/wide_resnet": {
        **LARGE,
        "backbone": "wide_resnet",
        "depth": 28,
        "widen": 10,
        # How it is computed, not what: second order of so large a network takes much memory.
        "parallel_tasks": 1,
        "recompute_inner_steps": True,
    },
    "figure3/5-way": {**OMNIGLOT, "way": 5},
    "figure3/20-way": {**OMNIGLOT, "way": 20},
}

# What the rows add: scores are meta-learned, weights stay random.
TICKET = {
    # Section 3.3: scores start kaiming-uniform, weights kaiming-normal; classifier, biases and
    # normalization are never pruned. Code: initial sparsity 0, a fixed threshold.
    "initial_sparsity": 0,
    "sparsity": "drifting",
    "weight_initializer": "kaiming_normal",
    # Code: SGD of rate 10, momentum 0.9; 1000 steps of warm-up, then cosine.
    "optimizer": "sgd",
    "learning_rate": 10,
    "momentum": 0.9,
    "schedule": "cosine",
    "warmup_steps": 1000,
}
# Code: a shorter warm-up on 32 x 32 images.
SHORT_WARMUP = {"warmup_steps": 100}
ROWS = {
    "maml": {},
    # The inner loop adapts the classifier alone.
    "anil": {"learner": "anil"},
    # The inner loop adapts all but the classifier.
    "boil": {"learner": "boil"},
    "meta_ticket": {"learner": "meta_ticket", **TICKET},
    # The same, and the inner loop leaves the classifier alone.
    "meta_ticket+boil": {"learner": "meta_ticket_boil", **TICKET},
    # Every 1000 outer steps all pruned weights are drawn anew.
    "meta_ticket+iterand": {
        "learner": "meta_ticket",
        **TICKET,
        "iterand_every": 1000,
        "iterand_share": 1,
    },
}
# Code: cross-domain tests of MAML, ANIL and BOIL of CIFAR-FS name networks trained at this rate,
# trainings 0.001.
ELSEWHERE = {
    ("table1/cifar_fs", row): {"learning_rate": 0.0001} for row in ("maml", "anil", "boil")
}
# Figure 2: other inner learning rates than 0.5; the paper prints none, these are ours.
RATES = (0.1, 0.5, 1)
# Figure 2: task gradients after each epoch. Measuring changes nothing in training.
MEASURED = {"gradient_norms_every": 1}
MEASURED_ROWS = ("maml", "meta_ticket")
# Figure 3: hidden layers so many times as large.
WIDTHS = (1, 2, 4, 8)
CONSTANT = {
    # Figure 4 and Section 4.1.2: all weights of a layer are one constant.
    "learner": "meta_ticket",
    "initial_sparsity": 0,
    "sparsity": "drifting",
    # Code: the constant is kaiming-normal's deviation; all kernels are pruned, the classifier's
    # too.
    "weight_initializer": "positive_constant",
    "prune_classifier": True,
    "width_factor": 4,
    # Code: three steps in training as well, 60 000 outer steps of 32 tasks, Adam of rate 0.1.
    "inner_steps": 3,
    "tasks": 32,
    "epochs": 60,
    "learning_rate": 0.1,
}
RANDOM = {
    # Section 4.1.2, the random subnetworks. Code: half of each kernel is pruned, and one outer step
    # of rate 0 learns nothing.
    **CONSTANT,
    "initial_sparsity": 0.5,
    "learning_rate": 0,
    "epochs": 1,
    "steps_per_epoch": 1,
}


# The small form keeps the rates. Networks are made small each in its own way.
SMALL = {
    **{name: SMALL_OF_ALL[name] for name in ("data", "image_size", "epochs", "steps_per_epoch")},
    **{name: SMALL_OF_ALL[name] for name in ("validation_episodes", "test_episodes")},
    "rotations": False,
}


def recipe(trained, row, elsewhere=False):
    """Makes the recipe of a cell's run, which may be one of several columns.

    Args:
        trained: "table1/cifar_fs", "table1/vgg_flowers", "table2/resnet12" or "table2/wide_resnet".
        row: a key of `ROWS`.
        elsewhere: whether the run is tested on another data set.

    Returns:
        A `Recipe`.
    """
    other = ELSEWHERE.get((trained, row)) if elsewhere else None
    measured = MEASURED if trained == "table1/cifar_fs" and row in MEASURED_ROWS else {}
    name = f"{trained}/{row}{'-elsewhere' if other else ''}"
    return _recipe(name, trained, row, {**measured, **(other or {})})


def with_rate(row, rate):
    """Makes the recipe of a curve of Figure 2; the paper's own rate is Table 1's.

    Args:
        row: of `MEASURED_ROWS`.
        rate: inner learning rate, of `RATES`.

    Returns:
        A `Recipe`.
    """
    if rate == MLP["inner_learning_rate"]:
        return recipe("table1/cifar_fs", row)
    more = {**MEASURED, "inner_learning_rate": rate}
    return _recipe(f"figure2/{row}-{rate}", "table1/cifar_fs", row, more)


def of_width(way, row, width):
    """Makes the recipe of a point of Figure 3.

    Args:
        way: 5 or 20.
        row: a key of `ROWS`.
        width: of `WIDTHS`.

    Returns:
        A `Recipe`.
    """
    more = {} if width == 1 else {"width_factor": width}
    return _recipe(f"figure3/{way}-way/{row}/width-{width}", f"figure3/{way}-way", row, more)


def constant_weights():
    """Returns the recipe of Figure 4."""
    return _recipe("figure4/meta_ticket", "figure3/5-way", "maml", CONSTANT)


def random_subnetworks():
    """Returns the recipe of the random subnetworks that Section 4.1.2 compares with Figure 4."""
    return _recipe("text/random_subnetworks", "figure3/5-way", "maml", RANDOM)


def _recipe(name, trained, row, more=None):
    base = TRAINED[trained]
    short = base["image_size"] == 32 and "warmup_steps" in ROWS[row]
    full = {
        **base,
        **EVERYWHERE,
        **ROWS[row],
        **(SHORT_WARMUP if short else {}),
        **(more or {}),
    }
    ticket = full["learner"].startswith("meta_ticket")
    full |= (TICKET_STARTS if ticket else STARTS)[full["backbone"]]
    return Recipe(f"meta_ticket/{name}", full, {**full, **_small(full)})


def _small(full):
    """The settings that the small form changes."""
    small = dict(SMALL)
    if full["image_size"] == 32:
        small["width_factor"] = 0.25  # a quarter of the units in each hidden layer
    if full["backbone"] == "resnet12":
        small["block_filters"] = [4, 8, 16, 32]
    if full["backbone"] == "wide_resnet":
        small |= {"depth": 10, "widen": 1, "filters": 8}
    if "warmup_steps" in full:
        small["warmup_steps"] = 30  # fits into 240 outer steps
    if "iterand_every" in full:
        small["iterand_every"] = 60  # drawn anew three times in 240 outer steps
    if "prune_classifier" in full:
        small |= {"width_factor": 1, "tasks": 4}
    if full["learning_rate"] == 0:  # which learns nothing, however long
        small |= {name: full[name] for name in ("epochs", "steps_per_epoch")}
    return small
