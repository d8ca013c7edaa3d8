from types import SimpleNamespace

import pytest

from launch import checks, constructor_flags, registry
from launch.construction import building, regularizers
from tests.launch.experiments import make
from tfmgaug.data import Augment
from tfmgaug.regularizers import (
    ChannelShuffle,
    CutMix,
    EntropyTAML,
    GradDrop,
    InequalityTAML,
    MaxUp,
    MetaMix,
    MRActivations,
    MRWeights,
    OnQuery,
    Regularizer,
    RotateClasses,
)
from tfmgaug.regularizers.taml import MEASURES

REGULARIZERS = registry.REGULARIZERS.rows


def build(*names, **given):
    return [building.build(part) for part in make(regularizers=list(names), **given).regularizers]


def test_none_is_the_default():
    assert build() == []


@pytest.mark.parametrize("name", REGULARIZERS)
def test_without_flags_a_regularizer_has_its_own_defaults(name):
    (one,) = build(name)
    assert isinstance(one, Regularizer)
    assert one.get_config() == type(one)().get_config()


def test_flags_reach_the_constructors_that_read_them():
    drop, weights, activations = build(
        *("graddrop", "mr_weights", "mr_activations"),
        graddrop_rate=0.2,
        graddrop_distribution="gaussian",
        graddrop_ramp_steps=100,
        mr_weight=0.5,
        mr_initial_deviation=0.25,
        mr_depth=3,
        regularize_subnetworks=True,
    )
    assert drop.get_config() == GradDrop(0.2, "gaussian", 100, True).get_config()
    assert weights.get_config() == MRWeights(0.5, 0.25, True).get_config()
    assert activations.get_config() == MRActivations(0.5, 3, 0.25, True).get_config()


def test_flags_that_are_text_are_read():
    mix, shuffle, maxup = build(
        *("metamix", "channel_shuffle", "maxup"),
        metamix_concentration=1.5,
        metamix_depths=["0", "2"],
        channel_shuffle_depths=["2"],
        channel_shuffle_keep=0.75,
        maxup_m=2,
        maxup_pool=["cutmix", "rotate+query_aug"],
        maxup_maximum="query",
    )
    assert mix.get_config() == MetaMix(1.5, [0, 2]).get_config()
    assert shuffle.get_config() == ChannelShuffle(keep=0.75, depths=[2]).get_config()
    expected = MaxUp(2, [[CutMix()], [RotateClasses(), OnQuery(Augment())]], "query")
    assert maxup.get_config() == expected.get_config()


def test_taml_has_forms():
    (entropy,) = build("taml", taml_weight=0.5)
    assert entropy.get_config() == EntropyTAML(0.5).get_config()
    (atkinson,) = build("taml", taml_form="atkinson", taml_epsilon=2.0)
    assert atkinson.get_config() == InequalityTAML("atkinson", epsilon=2.0).get_config()


def test_unknown_names_are_refused():
    def check(*names, maxup_pool=None):
        checks._regularizers(SimpleNamespace(regularizers=names, maxup_pool=maxup_pool))

    with pytest.raises(ValueError, match="must be of .*graddrop, .* Received: dropout"):
        check("graddrop", "dropout")
    with pytest.raises(ValueError, match="--maxup_pool must be of cutmix, .* Received: blur"):
        check("maxup", maxup_pool=["rotate+blur"])


def test_names_without_tensorflow_are_those_of_the_classes():
    assert tuple(regularizers.AUGMENTATIONS) == checks.AUGMENTATIONS
    assert constructor_flags.choices("taml_form") == ("entropy", *MEASURES)
