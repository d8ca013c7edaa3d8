"""Distributions that heads and kernels start from, measured."""

import keras
import numpy as np
import pytest

from tfmgaug import tickets
from tfmgaug.backbones import mlp, resnet12, wide_resnet
from tfmgaug.backbones.starts import head_start, kernel_start
from tfmgaug.learners import MAML, MetaTicket
from tfmgaug.masks import ScoreMask

PYTORCH = {"head_initializer": "fan_in_uniform"}


def resnet12_of_512(**options):
    """As wide before its head as in Meta-ticket's code."""
    return resnet12(20, (16, 16, 3), (2, 2, 2, 512), **options)


def wide_resnet_of_640(**options):
    return wide_resnet(20, (8, 8, 3), 10, 1, 160, **options)


NETWORKS = [(resnet12_of_512, 0.0255, 0.0625), (wide_resnet_of_640, 0.0228, 0.0559)]


@pytest.mark.parametrize(("build", "deviation", "_"), NETWORKS)
def test_heads_start_as_pytorch_s_linear_layers_where_asked(build, deviation, _):
    head = build(**PYTORCH).get_layer("head")
    kernel, bias = (np.asarray(variable) for variable in (head.kernel, head.bias))
    bound = len(kernel) ** -0.5
    assert kernel.std() == pytest.approx(deviation, rel=0.02)
    assert 0.99 * bound < np.abs(kernel).max() <= bound
    assert bias.std() == pytest.approx(deviation, rel=0.5)
    assert np.abs(bias).max() <= bound
    assert np.all(build().get_layer("head").bias == 0)


@pytest.mark.parametrize(("build", "kept", "redrawn"), NETWORKS)
def test_a_ticket_draws_the_head_or_keeps_its_start(build, kept, redrawn):
    start = [np.asarray(variable) for variable in build(**PYTORCH).get_layer("head").variables]
    keeping = MetaTicket(build(**PYTORCH), draw_classifier=False).classifier
    for found, expected in zip(keeping.variables, start, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.std(keeping.kernel) == pytest.approx(kept, rel=0.02)
    assert np.std(MetaTicket(build(**PYTORCH)).classifier.kernel) == pytest.approx(
        redrawn, rel=0.02
    )


def test_all_but_the_head_is_drawn_whether_or_not_it_is():
    drawn, keeping = (MetaTicket(mlp(5, (6,), (8, 7)), draw_classifier=d) for d in (True, False))
    same = [
        np.array_equal(one, other)
        for one, other in zip(drawn.backbone.weights, keeping.backbone.weights, strict=True)
    ]
    assert [v.path for v, equal in zip(drawn.backbone.weights, same) if not equal] == [
        "head/kernel"
    ]


def test_a_ticket_that_keeps_its_head_is_saved(tmp_path):
    learner = MetaTicket(mlp(3, (4,), (5,)), score_mask=ScoreMask(0.5), draw_classifier=False)
    learner.classifier.kernel.assign(learner.classifier.kernel + 1)
    learner.save(tmp_path / "learner.keras")
    for loaded in (
        keras.models.load_model(tmp_path / "learner.keras"),
        tickets.load(tickets.save(learner, tmp_path / "learner.ticket")),
    ):
        assert loaded.draw_classifier is False
        np.testing.assert_array_equal(loaded.classifier.kernel, learner.classifier.kernel)


def test_a_pruned_head_is_drawn():
    with pytest.raises(ValueError, match="A classifier that is pruned is one of the random"):
        MetaTicket(
            mlp(3, (4,), (5,)), score_mask=ScoreMask(prune_classifier=True), draw_classifier=False
        )


@pytest.mark.parametrize("learner", [lambda backbone: backbone, MetaTicket, MAML])
def test_an_mlp_starts_kaiming_normal_whatever_the_method(learner):
    backbone = mlp(100, (200,), (400, 300), kernel_initializer="kaiming_normal")
    learner(backbone)
    for name, fan_in in (("dense1", 200), ("dense2", 400), ("head", 300)):
        kernel = np.asarray(backbone.get_layer(name).kernel)
        assert kernel.std() == pytest.approx((2 / fan_in) ** 0.5, rel=0.02)
        assert np.abs(kernel).max() > 3 * kernel.std()  # not truncated at two deviations


def test_a_spatial_head_starts_by_all_of_its_inputs():
    model = resnet12(20, (32, 32, 3), (2, 2, 2, 100), global_pooling=False, **PYTORCH)
    kernel = np.asarray(model.get_layer("head").kernel)
    assert kernel.shape == (2, 2, 100, 20)
    assert 0.99 * 400**-0.5 < np.abs(kernel).max() <= 400**-0.5
    assert np.abs(model.get_layer("head").bias).max() > 0


def test_unknown_distributions_are_refused():
    with pytest.raises(ValueError, match="`head_initializer` must be one of.*'zeros'"):
        head_start("zeros", 3, 0)
    with pytest.raises(ValueError, match="`kernel_initializer` must be one of.*'zeros'"):
        kernel_start("zeros", 0)
