"""What a run is estimated to take, against what its network and its learner compute."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from launch.construction.learner import build_backbone
from launch.reproduction import cost
from launch.reproduction.operations import operations
from tests.launch import experiments

NETWORK = {
    **dict.fromkeys(("block_filters", "depth", "global_pooling", "widen", "width_factor")),
    **{"data": "folder", "learner": "maml", "way": 5, "seed": 0, "fused": True, "strided": False},
    **{"filters": 3, "hidden": [8, 6], "image_size": 44},
}


def counted(model, shape):
    """Products and sums of a built model's layers: two for each entry of a kernel and position."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    layers += [one for one in model.layers if isinstance(one, keras.layers.Dense)]
    layers = [layer for layer in layers if layer.name != "head"]
    outputs = keras.Model(model.input, [layer.output for layer in layers])(np.zeros([1, *shape]))
    positions = [np.prod(one.shape[1:-1]) for one in outputs]
    return sum(2 * int(n) * int(np.prod(one.kernel.shape)) for n, one in zip(positions, layers))


@pytest.mark.parametrize(
    "own",
    [
        {"backbone": "conv4"},
        {"backbone": "conv4", "strided": True},
        {"backbone": "conv4", "data": "glyphs", "image_size": None},
        {"backbone": "mlp"},
        {"backbone": "mlp", "width_factor": 2.5, "data": "cifar_fs", "image_size": None},
        {"backbone": "resnet10"},
        {"backbone": "resnet18", "image_size": 33},
        {"backbone": "resnet12"},
        {"backbone": "resnet12", "block_filters": ["3", "4", "5", "6"], "learner": "metaoptnet"},
        {"backbone": "wide_resnet", "depth": 16, "widen": 2, "image_size": 33},
        {"backbone": "wide_resnet", "depth": 10, "widen": 1},
    ],
)
def test_operations_are_those_of_the_layers_that_are_built(own):
    given = {**NETWORK, **own}
    shape = {"glyphs": (28, 28, 1), "cifar_fs": (32, 32, 3)}.get(
        given["data"], (given["image_size"], given["image_size"], 3)
    )
    tasks = SimpleNamespace(
        example_shape=shape, mean=127.5, standard_deviation=127.5, regression=False
    )
    model = build_backbone(experiments.make(**given), tasks)
    assert operations(given) == counted(model, shape)


def test_sinusoids_have_one_input():
    given = {**NETWORK, "backbone": "mlp", "data": "sinusoids", "hidden": [40, 30]}
    assert operations(given) == 2 * (40 + 40 * 30)


RUN = {
    **NETWORK,
    **{"backbone": "conv4", "epochs": 2, "steps_per_epoch": 10, "tasks": 4, "shot": 1},
    **{"query": 15, "train_query": 2, "inner_steps": 5, "mask": "none", "regularizers": []},
    **{"validation_episodes": 10, "test_episodes": 20},
}


def images(**own):
    """Forward passes of one image in a training step's task, and in a test's."""
    given = {**RUN, **own}
    steps = given.get("test_inner_steps") or given["inner_steps"]
    return cost._training_images(given) / 4, cost._images_of_a_test(given, steps)


def test_an_image_that_is_learned_from_counts_three_times():
    assert images() == (3 * (5 * 5 + 10), 5 * (3 * 5 + 75) + 75)


def test_reptile_learns_from_its_inner_batches_alone():
    own = {"learner": "reptile", "inner_steps": 8, "inner_batch": 10, "train_shot": 15}
    own |= {"test_inner_steps": 50, "evaluation_batch": 4}
    assert images(**own) == (3 * 8 * 10 + 10, 50 * (3 * 4 + 75) + 75)
    del own["inner_batch"], own["evaluation_batch"]
    assert images(**own) == (3 * 8 * 75 + 10, 50 * (3 * 5 + 75) + 75)


def test_cavia_s_context_has_a_short_way_back_in_tests():
    assert images(learner="cavia", inner_steps=2) == (3 * (2 * 5 + 10), 2 * (5 + 75) + 75)


def test_a_head_in_closed_form_sees_each_image_once():
    assert images(learner="metaoptnet", train_shot=3) == (3 * (15 + 10), 5 + 75)


def test_validation_and_tests_are_counted_as_often_as_they_are_run():
    per_task = images(inner_steps=2)[1]
    given = {**RUN, "inner_steps": 2}
    assert cost._tested_images(given, 2) == (2 * 10 + 4 * 20) * per_task
    given |= {"gap_episodes": 7, "statistics": "running"}
    assert cost._tested_images(given, 2) == (2 * (10 + 2 * 7) + 6 * 20) * per_task
    # Reptile's steps of tests are those of validation too, others have them in the last test alone.
    own = {**RUN, "inner_steps": 2, "test_inner_steps": 3}
    validation, test = (cost._images_of_a_test(own, steps) for steps in (2, 3))
    assert cost._tested_images(own, 2) == 20 * validation + 80 * test
    assert cost._tested_images({**own, "learner": "reptile"}, 2) == 100 * test
