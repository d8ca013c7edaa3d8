from types import SimpleNamespace

import pytest

from launch import channels, recipes, settings
from launch.construction.learner import build_backbone
from tests.launch.experiments import make, values
from tests.launch.recipe_settings import laid


def built(backbone, filters=None, **others):
    given = {"learner": "maml", "mask": "none", "hidden": [8, 6], **others}
    return build_backbone(make(backbone=backbone, filters=filters, **given), TASKS)


TASKS = SimpleNamespace(
    example_shape=(28, 28, 1), mean=127.5, standard_deviation=127.5, regression=False
)


@pytest.mark.parametrize(
    ("backbone", "filters", "first", "last"),
    [
        ("conv4", None, 64, 64),
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
    model = built(backbone, filters)
    assert model.name == backbone
    assert model.get_layer("stage1").output.shape[-1] == first
    assert model.get_layer("stage4").output.shape[-1] == last


def test_what_is_recorded_says_the_filters_in_use():
    def recorded(backbone, filters=None, block_filters=None):
        values = {"backbone": backbone, "filters": filters, "block_filters": block_filters}
        return channels.recorded(values)

    assert recorded("conv4", 16) == 16
    assert recorded("mlp") is None
    assert recorded("resnet18") == 64
    assert recorded("resnet18", 8) == 8
    assert recorded("wide_resnet") == 16
    assert recorded("resnet12", block_filters=["5", "6"]) == 5


def widths(model):
    return [model.get_layer(f"stage{number}").output.shape[-1] for number in (1, 2, 3)]


def test_flags_that_one_backbone_alone_has_reach_it():
    wide = built("wide_resnet", 2, depth=16, widen=3)
    assert widths(wide) == [6, 12, 24]
    assert wide.get_layer("group3_block2_sum") is not None
    twelve = built("resnet12", block_filters=["2", "3", "4", "5"])
    assert widths(twelve) == [2, 3, 4]
    assert widths(built("mlp", width_factor=2.0, hidden=[4, 3, 2])) == [
        8,
        6,
        4,
    ]
    assert widths(built("wide_resnet", 1, depth=10)) == [
        10,
        20,
        40,
    ]


def test_conv4_can_be_strided():
    model = built("conv4", 4, pooling="strided")
    assert model.get_layer("conv1").strides == (2, 2)


def differences(saved, *given):
    with laid(recipes.QUICKSTART, *given):
        return settings.differences(saved)


def test_a_run_that_is_resumed_may_name_its_defaults_or_leave_them_out():
    saved = values(learner="protonet")
    assert differences(saved, "--learner=protonet") == []
    earlier = {**saved, "mask_rates": None, "inner_steps": 5, "filters": 16}
    del earlier["scale"]
    assert differences(earlier, "--learner=protonet") == []


def test_a_run_that_is_resumed_otherwise_is_told_what_differs():
    saved = values(learner="protonet")
    assert differences(saved, "--learner=protonet", "--mask_rates=0.1") == [
        "--mask_rates=['0.1'] (the run was started with ['0.01', '0.03'])"
    ]
    (learner, *_) = [line for line in differences(saved) if line.startswith("--learner")]
    assert learner == "--learner=fomaml (the run was started with protonet)"


def test_an_earlier_run_of_reptile_goes_on_with_the_optimizer_it_had():
    saved = {**values(learner="reptile"), "inner_optimizer": None}
    assert differences(saved, "--learner=reptile", "--inner_optimizer=sgd") == []
    assert "--inner_optimizer=adam (the run was started with sgd)" in differences(
        saved, "--learner=reptile"
    )
