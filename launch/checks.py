"""Refusal of flags of training that don't fit together, before anything is imported or loaded."""

from launch import data_flags, registry
from launch.constructor_flags import arguments, default
from launch.signatures import REQUIRED

AUGMENTATIONS = (
    *("cutmix", "rotate", "query_erase"),
    *("support_erase", "query_aug", "support_aug"),
)
# Flags of which one takes the other's place.
EXCLUSIVE = {
    ("filters", "block_filters"): "both say the channels of ResNet-12",
    ("resolutions", "train_resolutions"): (
        "draw sizes for sub-networks alone and for whole tasks, in this order"
    ),
}
_OF_STEPS = ("schedule_epochs", "schedule_factors")


def check(settings):
    """Refuses flags that don't fit together.

    Args:
        settings: absl flags.

    Raises:
        ValueError: they say why.
    """
    data_flags.check(settings)
    for (first, second), meaning in EXCLUSIVE.items():
        if getattr(settings, first) and getattr(settings, second):
            raise ValueError(f"--{first} and --{second} {meaning}: choose one. Received: both.")
    for refuse in (
        *(_network, _tickets, _data, _regularizers),
        *(_measurements, _choices, _pruning, _schedule),
    ):
        refuse(settings)


def _network(settings):
    takes_context = [
        name for name, row in registry.BACKBONES.rows.items() if "context" in arguments(row)
    ]
    if settings.learner == "cavia" and settings.backbone not in takes_context:
        raise ValueError(
            f"CAVIA's context goes into --backbone={' or '.join(takes_context)}. "
            f"Received: --backbone={settings.backbone}."
        )
    epsilon, usual = settings.normalization_epsilon, default("normalization_epsilon")
    if not epsilon > 0:
        raise ValueError(f"--normalization_epsilon must be positive. Received: {epsilon}.")
    plain = settings.backbone == "mlp" and settings.learner == "cavia"
    if epsilon != usual and (plain or settings.data == "sinusoids"):
        raise ValueError(
            "An MLP on sinusoids or with CAVIA's context has no normalization: leave "
            f"--normalization_epsilon out. Received: --normalization_epsilon={epsilon}."
        )


def _tickets(settings):
    if settings.learner not in registry.TICKETS:
        return
    usual = settings.head_initializer == default("head_initializer")
    if settings.draw_classifier and not usual:
        raise ValueError(
            "Meta-ticket draws the classifier like other weights: --head_initializer needs "
            f"--nodraw_classifier. Received: --head_initializer={settings.head_initializer}."
        )
    if settings.prune_classifier and not settings.draw_classifier:
        raise ValueError(
            "A classifier that is pruned is one of the random matrices: leave --nodraw_classifier "
            "or --prune_classifier out. Received: both."
        )


def _data(settings):
    classifying = [
        name
        for name, row in registry.LEARNERS.rows.items()
        if name == "fine_tuning" or "inner_steps" not in arguments(row)
    ]
    if settings.data == "sinusoids" and settings.learner in classifying:
        raise ValueError(
            "ProtoNet, MetaOptNet and the fine-tuning baseline classify. "
            f"Received: --data=sinusoids --learner={settings.learner}."
        )
    if settings.data == "sinusoids" and settings.backbone != "mlp":
        raise ValueError(
            f"Sinusoids are no images: use --backbone=mlp. Received: {settings.backbone}."
        )
    if settings.task_augmentation == "rotate" and settings.rotations:
        raise ValueError(
            "--task_augmentation=rotate adds rotated classes to the training set, --rotations to "
            "all three sets: choose one. Received: both."
        )
    if settings.image_crop == "photo":
        _photos(settings)


def _photos(settings):
    if settings.image_size is None:
        raise ValueError(
            "--image_crop=photo needs --image_size, which crops are resized to. Received: none."
        )
    if settings.data in ("glyphs", "omniglot"):
        raise ValueError(
            "--image_crop=photo crops photos with their own aspect ratio. "
            f"Received: --data={settings.data}, whose images are square (--image_crop=square)."
        )
    if settings.image_fit == "center_crop":
        raise ValueError(
            "--image_crop=photo crops whole photos, --image_fit=center_crop their centers: choose "
            "one. Received: both."
        )
    if settings.rotations:
        raise ValueError(
            "--image_crop=photo crops photos before they could be turned: leave out --rotations, "
            "or choose --task_augmentation=rotate. Received: both."
        )


def _regularizers(settings):
    known = registry.REGULARIZERS.rows
    unknown = [name for name in settings.regularizers if name not in known]
    if unknown:
        raise ValueError(
            f"--regularizers must be of {', '.join(known)}. Received: {', '.join(unknown)}."
        )
    for name in (name for names in settings.maxup_pool or () for name in names.split("+")):
        if name not in AUGMENTATIONS:
            raise ValueError(
                f"--maxup_pool must be of {', '.join(AUGMENTATIONS)}, or of these joined by +. "
                f"Received: {name}."
            )


def _measurements(settings):
    for name in ("gradient_norms_every", "landscape_every"):
        every = getattr(settings, name) or 0
        if every > settings.epochs:
            raise ValueError(
                f"--{name} must be at most --epochs={settings.epochs}, or nothing is ever "
                f"measured. Received: --{name}={every}."
            )
    steps = settings.epochs * settings.steps_per_epoch
    if settings.iterand_every is not None and settings.iterand_every > steps:
        raise ValueError(
            f"--iterand_every must be at most the {steps} outer steps of training. "
            f"Received: --iterand_every={settings.iterand_every}."
        )


def _choices(settings):
    if settings.learner == "fine_tuning" and settings.mask != "none":
        raise ValueError(
            "--learner=fine_tuning trains on labeled images: it has no tasks in training that "
            f"MGAug could prune. Received: --mask={settings.mask} (pass --mask=none)."
        )
    if settings.mask != "none" and settings.mgaug_from_epoch >= settings.epochs:
        raise ValueError(
            f"--mgaug_from_epoch must be below --epochs={settings.epochs}, or MGAug never begins. "
            f"Received: --mgaug_from_epoch={settings.mgaug_from_epoch}."
        )
    if settings.overwrite and settings.resume:
        raise ValueError(
            "--resume goes on with the run in --run_dir, --overwrite replaces it: choose one. "
            "Received: both."
        )
    plain = settings.inner_optimizer == "sgd" and not settings.inner_momentum
    if settings.learner == "reptile" and settings.carry_slots and plain:
        raise ValueError(
            "--carry_slots carries what an inner optimizer remembers: it needs "
            "--inner_optimizer=adam or --inner_momentum. Received: --carry_slots with plain "
            "gradient descent."
        )


def _pruning(settings):
    row = registry.PRUNING.rows[settings.pruning]
    if row is None:
        return
    needed = [
        part.flag(argument.name)
        for part in (registry.MAGNITUDE_MASK, row)
        for argument in arguments(part).values()
        if argument.default is REQUIRED
    ]
    missing = [name for name in needed if getattr(settings, name) is None]
    if missing:
        raise ValueError(
            f"--pruning={settings.pruning} needs --{', --'.join(missing)}. Received: none."
        )
    if settings.pruning == "dsd" and (settings.pruning_retrain or 0) != 0:
        raise ValueError(
            "DSD is dense for what is left of training: --pruning_retrain=0 alone, which keeps it "
            "sparse, has a meaning for --pruning=dsd. "
            f"Received: --pruning_retrain={settings.pruning_retrain}."
        )


def _schedule(settings):
    steps = settings.epochs * settings.steps_per_epoch
    if settings.schedule == "cosine" and (settings.warmup_steps or 0) >= steps:
        raise ValueError(
            "--warmup_steps must leave steps to decay in. "
            f"Received: --warmup_steps={settings.warmup_steps} of {steps} outer steps."
        )
    if settings.schedule != "steps":
        return
    texts = [getattr(settings, name) or [] for name in _OF_STEPS]
    try:
        epochs, factors = [int(text) for text in texts[0]], [float(text) for text in texts[1]]
        fits = 0 < len(epochs) == len(factors) and min(factors) >= 0
        # From the second epoch on, rising, and before training ends.
        fits = fits and epochs[0] > 1 and epochs[-1] <= settings.epochs
        fits = fits and epochs == sorted(set(epochs))
    except ValueError:
        fits = False
    if not fits:
        received = " ".join(f"--{name}={','.join(part)}" for name, part in zip(_OF_STEPS, texts))
        raise ValueError(
            "--schedule=steps needs --schedule_epochs, rising from 2 to --epochs, and as many "
            f"--schedule_factors of at least 0. Received: {received} --epochs={settings.epochs}."
        )
