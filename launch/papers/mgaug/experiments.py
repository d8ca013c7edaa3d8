"""The MGAug paper's experiments: every setting, with where it comes from.

"Section" is the paper's, "Code" is what its authors published.
"""

from launch.papers.paper import Recipe
from launch.papers.small import SMALL, SMALL_INNER_RATE

DATA = {
    "cub": {
        # Section 5.1 draws 100/50/50 classes at random; ours are the published lists of that size.
        "data": "cub",
    },
    "mini_imagenet": {
        # Section 5.1: 64/16/20 classes of 600 images; ours are the lists of Ravi and Larochelle.
        # (From TensorFlow Datasets' ImageNet each class has all of its images, some 1300.)
        "data": "mini_imagenet",
    },
}
BACKBONES = {
    "conv4": {
        # Section 5.1: 84 x 84. Code: tests cut the center of images 1.15 times that size. It
        # standardizes each channel by ImageNet's statistics, ours all channels by the training
        # images'.
        "image_size": 84,
        "test_crop": True,
        # Section 5.1.
        "backbone": "conv4",
        "filters": 64,
    },
    "resnet10": {
        # Section 5.1: 224 x 224. Code: tests cut the center of images 1.15 times that size. It
        # standardizes each channel by ImageNet's statistics, ours all channels by the training
        # images'.
        "image_size": 224,
        "test_crop": True,
        # Section 5.1.
        # Code: the ResNet pools the upper left 5 x 5 of 7 x 7 positions; ours pools all.
        "backbone": "resnet10",
        "filters": 64,
    },
}
LEARNERS = {
    "protonet": {
        # Code: Euclidean distance. ProtoNet trains as it is tested, 5-way.
        "learner": "protonet",
        "distance": "euclidean",
        # Code: 1 episode a step, in epochs of 101; validation after every 50 epochs, so that one of
        # ours is 50 of the paper's.
        "tasks": 1,
        "steps_per_epoch": 5000,
    },
    "fomaml": {
        # Code: 5 steps of 0.01 in training and in tests, none of them learned.
        "learner": "fomaml",
        "inner_steps": 5,
        "inner_learning_rate": 0.01,
        "learn_inner_rates": "no",
        # Code: 4 episodes a step, in epochs of 64; validation after every 50 epochs, so that one of
        # ours is 50 of the paper's.
        "tasks": 4,
        "steps_per_epoch": 1250,
    },
}
EPOCHS = {
    # Section 5.1: 1600 epochs of 100 episodes for 1-shot, 800 for 5-shot.
    "protonet": {1: 32, 5: 16},
    # Section 5.1: 4800 epochs of 100 episodes for 1-shot, 2400 for 5-shot.
    "fomaml": {1: 96, 5: 48},
}
EVERYWHERE = {
    "way": 5,
    # Code: batch statistics of the queries, in training and in tests.
    "statistics": "transductive",
    # Code: PyTorch's default.
    "normalization_epsilon": 1e-5,
    # Section 5.1: Adam, 0.001.
    "optimizer": "adam",
    "learning_rate": 0.001,
    "schedule": "constant",
    # Tables 1 and 2 are of mutually exclusive tasks.
    "mutually_exclusive": True,
    # Code: 15 queries a class. Validation episodes: ours, as many as an epoch of the paper has.
    "train_query": 15,
    "query": 15,
    "validation_episodes": 100,
    "test_episodes": 600,
    # A row with MGAug adds its masks, and the sizes of images for sub-networks.
    "mask": "none",
}

AUG = {"augment_images": True, "image_crop": "photo"}
# What the rows of Tables 1 and 2 add to their baseline.
ROWS = {
    "aug": {
        # Random crops (scale 0.08-1), jitter of 0.4 and flips, as Chen et al. have them. Code: the
        # crops are of the photos, before these are resized.
        **AUG,
    },
    "taskaug": {
        # Classes turned by 90, 180 and 270 degrees are new classes.
        **AUG,
        "task_augmentation": "rotate",
        # The paper prints no probability of new classes. Ours: all 4C classes are equally likely.
        # (Liu et al., whose method it is, let it rise to 0.25 on mini-ImageNet over 80 000
        # episodes.)
        "rotation_probability": 0.75,
        "rotation_ramp": 0,
    },
    "maxup": {
        # Ni et al.: the worst of m augmentations.
        **AUG,
        "regularizers": ["maxup"],
        "maxup_m": 4,
        # Ni et al.: of each task. (Their code: of each query.)
        "maxup_maximum": "task",
        # Theirs, but for self-mix, MixUp and a few weak ones. A + joins what acts together.
        "maxup_pool": [
            *("cutmix", "query_erase", "support_erase", "rotate"),
            *("rotate+cutmix", "rotate+query_erase"),
        ],
    },
    "mr": {
        # MR-MAML on weights (Yin et al.).
        **AUG,
        "regularizers": ["mr_weights"],
        # The MGAug paper prints neither. Published code for Omniglot: 1e-5, and noise of 0.05 at
        # first.
        "mr_weight": 1e-5,
        "mr_initial_deviation": 0.05,
    },
    "taml": {
        # The entropy form (Jamal and Qi, who left no code).
        **AUG,
        "regularizers": ["taml"],
        "taml_form": "entropy",
        # Neither paper prints a weight for this setting. This one is ours.
        "taml_weight": 0.1,
    },
    "graddrop": {
        # Tseng et al. The MGAug paper writes of dropped meta-gradients; Tseng et al.'s paper and
        # code drop inner gradients, and so do we.
        **AUG,
        "regularizers": ["graddrop"],
        # The MGAug paper prints neither. Tseng et al. recommend 0.1 to 0.2.
        "graddrop_rate": 0.1,
        "graddrop_distribution": "binary",
    },
    "metamix": {
        # Yao et al., without their channel shuffle: images or features of any stage.
        **AUG,
        "regularizers": ["metamix"],
        # Yao et al.: Beta(2, 2) for classification.
        "metamix_concentration": 2,
    },
    "wp": {
        # Random width pruning, which keeps the first channels of each layer.
        **AUG,
        "mask": "width",
        # Code: one sub-network at the highest rate, the others at random rates below it.
        "subnetworks": 3,
        # The paper prints no rates for this mask. These are ours, not chosen on validation classes.
        "mask_rates": [0.0, 0.25],
    },
    "pp": {
        # Random parameter pruning.
        **AUG,
        "mask": "parameter",
        # Code: one sub-network at the highest rate, the others at random rates below it.
        "subnetworks": 3,
        # The paper prints no rates for this mask. These are ours, not chosen on validation classes.
        "mask_rates": [0.0, 0.2],
    },
    "cp": {
        # Catfish pruning.
        **AUG,
        "mask": "catfish",
        # Eqs. 5 and 6: the query loss before adaptation scores each task. (The code reuses FOMAML's
        # meta-gradient, from a buffer that still holds earlier tasks:
        # --mask_score=meta_gradient is the same without them.)
        "mask_score": "query_loss",
        # Code: one sub-network at the highest rate, the others at random rates below it.
        "subnetworks": 3,
        # The paper prints no rates. The code's are the defaults: --mask_rates=0.001,0.02 for FOMAML
        # and 0.01,0.03 for ProtoNet.
    },
}
MGAUG = ("wp", "pp", "cp")
RESOLUTIONS = {
    # Section 5.1 scales the images of all runs, the code those of sub-networks. The recipes of the
    # text's rule have "mgaug/scaled/" before the name of the table.
    "conv4": {"resolutions": [84, 64, 48]},
    "resnet10": {"resolutions": [224, 192, 160, 140]},
}

# What Figures 4 and 6 change besides.
NON_MUTUALLY_EXCLUSIVE = {
    # Section 5.1, Figure 4d: in training, a class keeps its label.
    "mutually_exclusive": False,
}
STARTS = (0, 400, 800, 1200)
LONGER = {
    # Figure 6: 1600 epochs of 100 episodes, the baseline as well. Here each is one of ours, after
    # which test classes are tested: the figure shows curves of training and of tests. Test
    # episodes: ours, as many as an epoch has.
    "epochs": 1600,
    "steps_per_epoch": 100,
    "gap_episodes": 100,
}


def recipe(table, learner, data, shot, backbone, row=None):
    """Makes the recipe of one cell.

    Args:
        table: its number.
        learner: "protonet" or "fomaml".
        data: "cub" or "mini_imagenet".
        shot: 1 or 5.
        backbone: "conv4" or "resnet10".
        row: what is added to the learner, a key of `ROWS`; None: the baseline.

    Returns:
        A `Recipe`.
    """
    added = f"+{row}" if row else ""
    name = f"mgaug/table{table}/{data}/{shot}-shot/{backbone}/{learner}{added}"
    return _recipe(name, _settings(learner, data, shot, backbone, row))


def scaled(table, learner, data, shot, backbone, row=None):
    """Makes the recipe of one cell with the text's random scaling of all runs.

    Args:
        table: its number.
        learner: "protonet" or "fomaml".
        data: "cub" or "mini_imagenet".
        shot: 1 or 5.
        backbone: "conv4" or "resnet10".
        row: what is added to the learner, a key of `ROWS` but "maxup", whose augmentations don't
            go together with random scaling; None: the baseline.

    Returns:
        A `Recipe`.
    """
    name = recipe(table, learner, data, shot, backbone, row).name
    settings = _settings(learner, data, shot, backbone, row)
    settings.pop("resolutions", None)
    settings["train_resolutions"] = RESOLUTIONS[backbone]["resolutions"]
    return _recipe(name.replace("mgaug/", "mgaug/scaled/"), settings)


def never_mutually_exclusive():
    """Returns the recipe of Figure 4d: FOMAML with MGAug-CP on tasks whose classes keep labels."""
    settings = _settings("fomaml", "cub", 1, "resnet10", "cp")
    return _recipe("mgaug/figure4/fomaml+cp+nme", {**settings, **NON_MUTUALLY_EXCLUSIVE})


def longer_baseline():
    """Returns the recipe of Figure 6's baseline."""
    settings = _settings("protonet", "cub", 5, "conv4", "aug")
    return _recipe("mgaug/figure6/protonet+aug", {**settings, **LONGER})


def started(epoch):
    """Makes the recipe of a curve of Figure 6.

    Args:
        epoch: the paper's, of 1600, from which on there is MGAug.

    Returns:
        A `Recipe`.
    """
    settings = _settings("protonet", "cub", 5, "conv4", "cp")
    settings |= {**LONGER, "mgaug_from_epoch": epoch}
    return _recipe(f"mgaug/figure6/protonet+cp-from-{epoch}", settings)


def _settings(learner, data, shot, backbone, row):
    return {
        **DATA[data],
        "shot": shot,
        **BACKBONES[backbone],
        **LEARNERS[learner],
        "epochs": EPOCHS[learner][shot],
        **EVERYWHERE,
        **ROWS.get(row, {}),
        **(RESOLUTIONS[backbone] if row in MGAUG else {}),
    }


def _recipe(name, full):
    return Recipe(name, full, {**full, **_small(full)})


def _small(full):
    """The settings that the small form changes."""
    small = {**SMALL, **(SMALL_INNER_RATE if full["learner"] == "fomaml" else {})}
    if "image_crop" in full:  # glyphs are square
        small["image_crop"] = "square"
    for name in ("resolutions", "train_resolutions"):
        if name in full:
            small[name] = [28, 20, 16]
    if "gap_episodes" in full:
        small["gap_episodes"] = SMALL["validation_episodes"]
    if "mgaug_from_epoch" in full:  # after the same share of the budget
        small["mgaug_from_epoch"] = full["mgaug_from_epoch"] * SMALL["epochs"] // full["epochs"]
    return small
