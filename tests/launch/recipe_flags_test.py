"""The flag --recipe: what is laid under the flags that are given."""

import pytest
from absl import flags

from launch import recipe_flags, recipes
from tests.launch.experiments import make
from tests.launch.recipe_settings import laid

CP = recipes.settings("mgaug/table1/cub/5-shot/conv4/protonet+cp")


def values(recipe, *given):
    with laid(recipe, *given) as options:
        return {name: options[name].value for name in recipe}


def test_a_recipe_sets_what_is_not_given():
    found = values(CP, "--shot=1", "--noaugment_images")
    assert (found["shot"], found["augment_images"]) == (1, False)
    assert (found["data"], found["image_size"], found["learner"]) == ("cub", 84, "protonet")
    assert found["resolutions"] == ["84", "64", "48"]  # as on the command line


def test_a_list_that_is_given_takes_the_place_of_the_recipe_s():
    mlp = recipes.settings("meta_ticket/table1/cifar_fs/maml")
    assert values(mlp)["hidden"] == [1024, 512, 256, 128]
    assert values(mlp, "--hidden=8")["hidden"] == [8]


def test_what_nothing_reads_any_more_is_left_out():
    found = values(CP, "--mask=none", "--learner=maml")
    assert (found["mask"], found["learner"]) == ("none", "maml")
    with laid(CP, "--mask=none", "--learner=maml") as options:
        unset = [name for name in CP if options[name].using_default_value]
    pruning = {"mask_score", "subnetworks", "resolutions"}
    assert set(unset) == {"distance", "statistics", *pruning}  # the first two are ProtoNet's


@pytest.mark.parametrize(
    ("given", "left_out"),
    [
        (["--learner=fomaml"], set()),
        (["--learner=reptile"], {"inner_learning_rate"}),
        (["--learner=protonet"], {"inner_learning_rate"}),
        (["--learner=maml", "--inner_learning_rate=0.2"], set()),
        (["--backbone=resnet10"], {"filters"}),
        (["--backbone=resnet10", "--learner=anil"], {"filters", "inner_learning_rate"}),
        (["--mask=width"], set()),
    ],
)
def test_what_is_of_another_constructor_than_the_recipe_s_is_left_out(given, left_out):
    with laid(recipes.QUICKSTART, *given) as options:
        laid_under = {n for n in recipes.QUICKSTART if not options[n].using_default_value}
    assert {n for n in recipes.QUICKSTART if n not in laid_under} == left_out


def test_what_is_shared_by_several_regularizers_is_of_those_that_the_recipe_has():
    recipe = {"regularizers": ["maxup", "mr_weights"], "maxup_m": 2, "mr_weight": 0.5}
    recipe |= {"learner": "maml"}
    assert values(recipe, "--regularizers=mr_weights,graddrop")["mr_weight"] == 0.5
    assert values(recipe, "--regularizers=mr_activations")["mr_weight"] is None
    assert values(recipe, "--regularizers=maxup")["maxup_m"] == 2


def test_reptile_has_its_constructor_s_defaults_under_quickstart():
    made = make(learner="reptile").learner.arguments
    assert (made["inner_steps"], made["inner_learning_rate"]) == (8, 0.001)
    assert made["inner_optimizer"].arguments["beta_1"] == 0


def test_a_setting_gives_way_to_one_that_takes_its_place():
    assert values(CP, "--train_resolutions=84,64")["resolutions"] is None
    assert values(CP, "--backbone=resnet12")["filters"] is None
    assert values(CP, "--backbone=conv4")["filters"] == 64
    large = recipes.settings("meta_ticket/table2/resnet12/maml")
    assert values(large, "--filters=8")["block_filters"] is None


def test_flags_of_a_recipe_do_not_count_as_given():
    with laid(CP, "--shot=1"):
        assert flags.FLAGS["shot"].present
        assert not any(flags.FLAGS[name].present for name in CP if name != "shot")


def test_the_first_lines_say_what_a_recipe_sets_and_what_of_it_is_not_used(monkeypatch):
    monkeypatch.setattr(
        recipes, "settings", {"short": {"way": 7, "shot": 2, "distance": "cosine"}}.get
    )
    with laid(recipes.settings("short"), "--shot=1", "--learner=maml"):
        lines = recipe_flags.text("short").splitlines()
    assert lines == [
        "Recipe short: --way=7",
        "Not used of it, with the flags given: --distance=cosine",
    ]
