"""Every flag of training is read by what is built, or refused with what would read it."""

import functools
import inspect
import re
from types import SimpleNamespace

import numpy as np
import pytest
from absl import flags

from launch import constructor_flags, recipes, registry, settings, summary, tasks
from launch.construction import building, callbacks, learner
from launch.experiment import Data, Destination, Part, Training
from launch.given_flags import GIVEN
from launch.jobs import train
from launch.reproduction import composition
from tfmgaug import data

if "learner" not in flags.FLAGS:
    settings.define()
if not flags.FLAGS.is_parsed():
    flags.FLAGS(["test"])
NAMES = settings.names()
PHOTOS = "--augment_images --image_crop=photo"

# A value other than the default, where the kind of flag doesn't tell one.
VALUES = {
    "block_filters": "4,8,16,32", "context_blocks": "1,2", "coherence_patience": "3",
    "data": "cub", "data_dir": "/photos", "depth": "16", "evaluation_batch": "2",
    "gap_episodes": "2", "hidden": "8", "image_crop": "padded", "image_size": "28",
    "initial_sparsity": "0.5",
    "inner_batch": "2", "iterand_every": "2", "landscape_every": "1", "landscape_tasks": "3",
    "mask_rates": "0.1", "maxup_pool": "cutmix", "metamix_depths": "0", "momentum": "0.5",
    "channel_shuffle_depths": "1", "drop_block_sizes": "1,1,3,3", "mgaug_from_epoch": "1",
    "pruning_dense": "2", "pruning_rates": "0.3", "pruning_retrain": "0", "pruning_rounds": "1",
    "pruning_sparse": "2", "regularizers": "label_smoothing", "resolutions": "28,16",
    "schedule": "linear", "schedule_epochs": "3", "schedule_factors": "0.5",
    "train_classes": "6", "train_resolutions": "28,16", "weight_initializer": "kaiming_uniform",
    "train_amplitude": "0.5,2", "train_phase": "0,1", "test_amplitude": "2,4", "test_phase": "1,2",
    "mask": "width", "pruning": "dsd", "taml_alpha": "3", "mr_depth": "2",
}  # fmt: skip
# What else has to be given with a flag, or with a value of it.
NEEDS = {
    "carry_slots": ["--inner_optimizer=adam", "--parallel_tasks=1"],
    "data=sinusoids": ["--backbone=mlp"],
    "learner=fine_tuning": ["--mask=none"],
    "pruning=dsd": ["--pruning_rates=0.5", "--pruning_dense=1", "--pruning_sparse=1"],
    "pruning=iht": ["--pruning_rates=0.5", "--pruning_dense=1", "--pruning_sparse=1"]
    + ["--pruning_retrain=1"],
    "schedule=steps": ["--schedule_epochs=2", "--schedule_factors=0.25"],
    "sparsity": ["--initial_sparsity=0.25"],
    "test_crop": ["--image_size=24"],
}
# Of all contexts: small networks, tasks and budgets.
SMALL = ["--image_size=28", "--epochs=5", "--steps_per_epoch=10", "--query=2", "--train_query=2"]


def usual(name):
    """A flag's value where none is given."""
    return recipes.QUICKSTART.get(name, flags.FLAGS[name].default)


def changed(name):
    """An argument that sets a flag to another value than its default."""
    flag = flags.FLAGS[name]
    if flag.boolean:
        on = True if flag.default is None else flag.default  # of --global_pooling, but MetaOptNet's
        return f"--{'no' if on else ''}{name}"
    values = getattr(flag.parser, "enum_values", None)
    if name in VALUES:
        return f"--{name}={VALUES[name]}"
    if values:
        return f"--{name}={next(value for value in values if value != usual(name))}"
    if flag.flag_type() == "int":
        return f"--{name}={3 if flag.default is None else flag.default + 1}"
    if flag.flag_type() == "float":
        return f"--{name}=0.25"
    return f"--{name}=other"


def needs(argument):
    name, _, value = argument.removeprefix("--").partition("=")
    return [*NEEDS.get(f"{name}={value}", ()), *NEEDS.get(name, ())]


@functools.cache
def context(name):
    """The arguments with which a flag is read."""
    found = []
    for switch in settings.READ_WITH.get(name, ()):
        value = usual(switch.flag)
        on = bool(value) if switch.values is GIVEN else value in switch.values
        if not on:
            given = changed(switch.flag) if switch.values is GIVEN else ""
            given = given or f"--{switch.flag}={next(v for v in switch.values if v is not None)}"
            found += [*context(switch.flag), given, *needs(given)]
    return tuple(dict.fromkeys([*found, *needs(changed(name))]))


@pytest.mark.parametrize("name", NAMES)
def test_a_flag_that_is_read_changes_the_experiment(name):
    given = composition.resolve([*context(name), changed(name)])
    assert given[name] != usual(name)
    if name in ("overwrite", "resume", "run_dir"):  # where a run writes, not what it is
        return
    around = [argument for argument in context(name) if argument not in needs(changed(name))]
    before = settings.experiment(composition.resolve(around))
    assert settings.experiment(given) != before, f"--{name} changes nothing"


def off(switch):
    """An argument that turns a switch off."""
    if switch.values is GIVEN:
        return []
    if flags.FLAGS[switch.flag].boolean:
        return [f"--{switch.flag}={True not in switch.values}"]
    values = getattr(flags.FLAGS[switch.flag].parser, "enum_values", ["mr_weights", "taml"])
    value = next(value for value in values if value not in switch.values)
    return [f"--{switch.flag}={value}", *needs(f"--{switch.flag}={value}")]


@pytest.mark.parametrize(
    ("name", "switch"),
    [(name, switch) for name in settings.READ_WITH for switch in settings.READ_WITH[name]],
    ids=str,
)
def test_a_flag_that_nothing_reads_is_refused_with_what_would_read_it(name, switch):
    with pytest.raises(ValueError, match=f"belongs? to --.*Received: .*--{name}"):
        composition.resolve([*off(switch), changed(name)])


class Recorder:
    """An experiment that knows which of its fields were read, and which parts were built."""

    def __init__(self, experiment):
        self.experiment, self.read, self.built = experiment, set(), []

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self.experiment, name)

    def build(self, part, *arguments, **supplied):
        """Builds a part, and remembers it."""
        self.built.append(part)
        return BUILD(part, *arguments, **supplied)

    def flags(self):
        """The flags that the fields and parts which were used are filled by."""
        rows = {id(row): row for row, _ in registry.rows()}
        parts = [part for top in self.built for part in within(top)]
        names = set()
        for part in parts:
            fitting = [row for row in rows.values() if row.constructor == part.constructor]
            fitting += [registry.METER] if part.name == "landscape" else []
            for row in fitting:
                names |= {row.flag(name) for name in constructor_flags.arguments(row)}
        return names | self.read


BUILD = building.build


def within(part):
    """A part, and the parts among its arguments."""
    if not isinstance(part, Part):
        return []
    return [part, *(inner for value in part.arguments.values() for inner in within(value))]


@pytest.fixture
def images(monkeypatch):
    pixels = np.arange(16 * 8 * 28 * 28).reshape([16 * 8, 28, 28, 1]).astype("uint8")
    classes = data.ImageClasses(pixels, np.arange(17) * 8, [f"class{n}" for n in range(16)])
    splits = data.Splits(classes, classes, classes)
    monkeypatch.setattr(tasks.data, "load", lambda *_, **options: splits)


JOBS = "".join(map(inspect.getsource, (train, summary)))
READ_BY_JOB = {*re.findall(r"(?:options|experiment)\.(\w+)", JOBS), "resume", "overwrite"}
# Choices are read where parts are made of flags, and so is where MGAug begins.
CHOICES = {kind.flag for kind in registry.KINDS} | {"mgaug_from_epoch", "regularize_subnetworks"}
CHOICES |= {row.flag(row.switch) for row, _ in registry.rows() if row.switch}
SMALL_NETWORKS = {
    "conv4": ["--filters=2"],
    "mlp": ["--hidden=4"],
    "resnet10": ["--filters=2"],
    "resnet12": [],
    "resnet18": ["--filters=2"],
    "wide_resnet": ["--filters=2", "--depth=10", "--widen=1"],
}
BUILT = [
    *([f"--learner={name}", *needs(f"--learner={name}")] for name in registry.LEARNERS.rows),
    *([f"--backbone={name}", "--learner=protonet"] for name in SMALL_NETWORKS),
    *(["--mask=none"], ["--mask=width"], ["--mask=parameter"]),
    ["--learner=cavia", "--backbone=mlp"],
    ["--learner=reptile", "--inner_optimizer=adam"],
    ["--learner=metaoptnet", "--head=ridge", "--optimizer=sgd", "--momentum=0.5"],
    ["--learner=meta_ticket", "--iterand_every=3", "--schedule=cosine"],
    ["--pooling=strided", "--schedule=steps", *NEEDS["schedule=steps"]],
    ["--pruning=dsd", *NEEDS["pruning=dsd"], "--task_augmentation=rotate"],
    ["--pruning=iht", *NEEDS["pruning=iht"], "--landscape_every=1", "--coherence_patience=2"],
    ["--regularizers=graddrop,metamix,mr_weights,trajectory_coherence"],
    ["--regularizers=taml", "--taml_form=ge"],
    ["--regularizers=taml", "--taml_form=atkinson"],
    ["--regularizers=maxup"],
    ["--data=sinusoids", "--backbone=mlp", "--learner=maml", "--mask=none"],
]


@pytest.mark.parametrize("given", BUILT, ids=" ".join)
def test_what_is_built_reads_all_flags_that_are_accepted(given, images, monkeypatch):
    values = composition.resolve(given)
    backbone = SMALL_NETWORKS[values["backbone"]]
    common = [argument for argument in SMALL if accepted(given, argument)]
    small = {**composition.resolve([*given, *common, *backbone]), "filters": 2}
    recorder = Recorder(settings.experiment(small))
    monkeypatch.setattr(tasks, "build_part", recorder.build)
    for module in (learner, callbacks):
        monkeypatch.setattr(module, "build", recorder.build)
    job = tasks.build(recorder)
    built = learner.build_learner(recorder, job)
    callbacks.build_schedules(recorder)
    callbacks.build_monitors(recorder, job, SimpleNamespace(figures=None), [])
    assert built.optimizer is not None
    read = recorder.flags() | READ_BY_JOB | CHOICES
    for name in NAMES:
        if accepted(given, changed(name)):
            assert name in read, f"--{name} is accepted, and nothing reads it"


def accepted(given, argument):
    try:
        return bool(composition.resolve([*given, argument]))
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--mgaug_from_epoch=99 --epochs=2", "MGAug never begins"),
        ("--gradient_norms_every=9", "nothing is ever measured"),
        ("--landscape_every=9", "nothing is ever measured"),
        ("--learner=meta_ticket --iterand_every=241", "at most the 240 outer steps"),
        ("--learner=reptile --inner_optimizer=sgd --carry_slots", "needs --inner_optimizer=adam"),
        ("--overwrite --resume", "choose one"),
        ("--rotations --task_augmentation=rotate", "choose one"),
        ("--resolutions=16 --train_resolutions=16", "choose one"),
        ("--backbone=resnet12 --filters=3 --block_filters=4,4,4,4", "choose one"),
        ("--backbone=resnet12 --learner=cavia", "goes into --backbone=conv4 or mlp"),
        ("--backbone=resnet12 --pooling=strided", "must be max or average. Received: strided"),
        ("--test_crop", "needs --image_size"),
        ("--data=folder --data_dir=/photos --image_fit=center_crop", "needs --image_size"),
        ("--data=vgg_flowers --image_fit=bounding_box", "needs images with boxes"),
        (
            "--learner=meta_ticket --backbone=resnet12 --head_initializer=fan_in_uniform",
            "--head_initializer needs --nodraw_classifier",
        ),
        (
            "--learner=meta_ticket --nodraw_classifier --prune_classifier",
            "leave --nodraw_classifier or --prune_classifier out",
        ),
        (
            "--learner=meta_ticket --backbone=mlp --kernel_initializer=kaiming_normal",
            "This flag belongs to --learner=",
        ),
        ("--normalization_epsilon=0", "must be positive. Received: 0.0"),
        (
            "--data=sinusoids --backbone=mlp --mask=none --normalization_epsilon=0.1",
            "has no normalization: leave --normalization_epsilon out",
        ),
        ("--image_crop=photo", "belongs to --augment_images"),
        (f"{PHOTOS} --data=cub", "needs --image_size"),
        (f"{PHOTOS} --image_size=28", "--data=glyphs, whose images are square"),
        (f"{PHOTOS} --image_size=28 --data=cub --rotations", "leave out --rotations"),
        ("--data=sinusoids --mask=none", "use --backbone=mlp. Received: conv4"),
        ("--data=sinusoids --backbone=mlp --mask=none --learner=protonet", "classify"),
        (
            "--data=sinusoids --backbone=mlp --mask=none --test_phase=2,1",
            "--test_phase must be one number, or a range low,high with low <= high. Received: 2,1",
        ),
        (
            "--data=sinusoids --backbone=mlp --mask=none --train_amplitude=1,2,3",
            "--train_amplitude must be one number, or a range low,high with low <= high. Received: "
            "1,2,3",
        ),
        ("--learner=fine_tuning", "pass --mask=none"),
        ("--learner=fomaml --recompute_inner_steps", "belongs to --learner=anil"),
        ("--mask=none --mask_rates=0.1 --subnetworks=2", "Received: --mask_rates, --subnetworks"),
        (
            "--nofused --pooling=strided",
            "to --pooling=max. Received: --fused with --pooling=strided",
        ),
    ],
)
def test_flags_that_do_not_fit_together_are_refused(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        composition.resolve(given.split())


def test_choices_without_tensorflow_are_those_of_the_package():
    from tfmgaug import batch_statistics

    assert constructor_flags.choices("statistics") == batch_statistics.MODES


def test_no_flag_is_defined_twice_or_by_nobody():
    fields = {*inspect.signature(Data).parameters, *inspect.signature(Training).parameters}
    kinds = {kind.flag for kind in registry.KINDS}
    made = {*fields, *kinds, *constructor_flags.uses()}
    assert set(NAMES) == made | set(inspect.signature(Destination).parameters)
    assert not kinds & set(constructor_flags.uses())
    assert not fields & set(constructor_flags.uses())
