from types import SimpleNamespace

import pytest

from launch import learner_flags
from launch.construction.backbone import build_backbone


def options(backbone, filters=None, **others):
    own = {name: None for names in learner_flags.BACKBONE_FLAGS.values() for name in names}
    common = {
        "learner": "maml",
        "way": 5,
        "seed": 0,
        "fused": True,
        "strided": False,
        "hidden": [8, 6],
    }
    return SimpleNamespace(backbone=backbone, filters=filters, **{**own, **common, **others})


TASKS = SimpleNamespace(
    example_shape=(28, 28, 1), mean=127.5, standard_deviation=127.5, regression=False
)


@pytest.mark.parametrize(
    ("backbone", "filters", "first", "last"),
    [
        ("conv4", None, 16, 16),
        ("conv4", 7, 7, 7),
        ("resnet10", None, 64, 512),
        ("resnet10", 2, 2, 16),
        ("resnet12", None, 64, 640),
        ("resnet12", 3, 3, 30),
        ("resnet18", 3, 3, 24),
    ],
)
def test_filters_are_a_blocks_of_conv4_and_the_first_groups_of_a_resnet(
    backbone, filters, first, last
):
    model = build_backbone(options(backbone, filters), TASKS)
    assert model.name == backbone
    assert model.get_layer("stage1").output.shape[-1] == first
    assert model.get_layer("stage4").output.shape[-1] == last


def test_what_is_recorded_says_the_filters_in_use():
    assert learner_flags.filters(options("conv4")) == learner_flags.filters(options("mlp")) == 16
    assert learner_flags.filters(options("resnet18")) == 64
    assert learner_flags.filters(options("resnet18", 8)) == 8
    assert learner_flags.filters(options("wide_resnet")) == 16
    assert learner_flags.filters(options("resnet12", block_filters=["5", "6"])) == 5


def channels(model):
    return [model.get_layer(f"stage{number}").output.shape[-1] for number in (1, 2, 3)]


def test_flags_that_one_backbone_alone_has_reach_it():
    wide = build_backbone(options("wide_resnet", 2, depth=16, widen=3), TASKS)
    assert channels(wide) == [6, 12, 24]
    assert wide.get_layer("group3_block2_sum") is not None
    twelve = build_backbone(options("resnet12", block_filters=["2", "3", "4", "5"]), TASKS)
    assert channels(twelve) == [2, 3, 4]
    assert channels(build_backbone(options("mlp", width_factor=2.0, hidden=[4, 3, 2]), TASKS)) == [
        8,
        6,
        4,
    ]
    assert channels(build_backbone(options("wide_resnet", 1, depth=10), TASKS)) == [
        10,
        20,
        40,
    ]


def test_conv4_can_be_strided():
    model = build_backbone(options("conv4", 4, strided=True), TASKS)
    assert model.get_layer("conv1").strides == (2, 2)
