from types import SimpleNamespace

import pytest

from launch import construction, landscape_flags, settings


def options(backbone, filters=None, **others):
    own = {name: None for names in settings.BACKBONE_FLAGS.values() for name in names}
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
    model = construction._backbone(options(backbone, filters), TASKS)
    assert model.name == backbone
    assert model.get_layer("stage1").output.shape[-1] == first
    assert model.get_layer("stage4").output.shape[-1] == last


def test_what_is_recorded_says_the_filters_in_use():
    assert settings.filters(options("conv4")) == settings.filters(options("mlp")) == 16
    assert settings.filters(options("resnet18")) == 64
    assert settings.filters(options("resnet18", 8)) == 8
    assert settings.filters(options("wide_resnet")) == 16
    assert settings.filters(options("resnet12", block_filters=["5", "6"])) == 5


def channels(model):
    return [model.get_layer(f"stage{number}").output.shape[-1] for number in (1, 2, 3)]


def test_flags_that_one_backbone_alone_has_reach_it():
    wide = construction._backbone(options("wide_resnet", 2, depth=16, widen=3), TASKS)
    assert channels(wide) == [6, 12, 24]
    assert wide.get_layer("group3_block2_sum") is not None
    twelve = construction._backbone(options("resnet12", block_filters=["2", "3", "4", "5"]), TASKS)
    assert channels(twelve) == [2, 3, 4]
    assert channels(
        construction._backbone(options("mlp", width_factor=2.0, hidden=[4, 3, 2]), TASKS)
    ) == [8, 6, 4]
    assert channels(construction._backbone(options("wide_resnet", 1, depth=10), TASKS)) == [
        10,
        20,
        40,
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 16, "widen": 2}, "Only --backbone=wide_resnet has --depth and --widen.*conv4"),
        ({"width_factor": 2.0}, "Only --backbone=mlp has --width_factor"),
        ({"block_filters": ["4"]}, "Only --backbone=resnet12 has --block_filters"),
        ({"backbone": "resnet12", "filters": 3, "block_filters": ["4"]}, "--filters is the first"),
    ],
)
def test_flags_of_another_backbone_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        construction._check(options(**{"backbone": "conv4", "train_way": None, **changes}), TASKS)


@pytest.mark.parametrize("backbone", ["conv4", "resnet10", "resnet12", "wide_resnet"])
def test_a_network_for_images_is_refused_for_sinusoids(backbone):
    with pytest.raises(ValueError, match=f"--backbone=mlp. Received: {backbone}"):
        construction._check(
            options(backbone, train_way=None),
            SimpleNamespace(**{**vars(TASKS), "regression": True}),
        )


def test_conv4_can_be_strided_and_others_can_not():
    model = construction._backbone(options("conv4", 4, strided=True), TASKS)
    assert model.get_layer("conv1").strides == (2, 2)
    with pytest.raises(ValueError, match="--strided is of --backbone=conv4"):
        landscape_flags.check_backbone(options("mlp", strided=True))
