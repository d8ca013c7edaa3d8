"""Flags reach the constructors of what a learner is made of."""

from types import SimpleNamespace

import pytest

from launch import registry
from launch.construction.building import build
from launch.construction.callbacks import build_schedules
from launch.construction.learner import build_learner
from tests.launch.experiments import make
from tfmgaug.backbones import initializers, mlp
from tfmgaug.callbacks import MaskSparsity
from tfmgaug.engine.inner_optimizers import SGD, Adam
from tfmgaug.heads import RidgeHead, SVMHead
from tfmgaug.learners import CAVIA, MetaTicket

TASKS = SimpleNamespace(
    example_shape=(28, 28, 1),
    mean=127.5,
    standard_deviation=127.5,
    regression=False,
    train=SimpleNamespace(),
)


def built(**flags):
    """The learner that flags describe, on a small network."""
    flags.setdefault("hidden", [4])
    return build_learner(make(**{"backbone": "mlp", "mask": "none", **flags}), TASKS)


def argument(name, **flags):
    return build(make(mask="none", **flags).learner.arguments[name])


@pytest.mark.parametrize(
    ("backbone", "size"), [("conv4", {"context": 100}), ("mlp", {"context": 5})]
)
def test_contexts_have_the_sizes_of_the_authors(backbone, size):
    found = make(learner="cavia", backbone=backbone).backbone.arguments
    assert size.items() <= found.items()
    assert make(learner="maml", backbone=backbone).backbone.arguments["context"] is None


def test_flags_of_cavia_reach_the_constructors():
    found = make(learner="cavia", context=7, context_blocks=["1", "4"], clip_task_gradients=10.0)
    assert found.backbone.arguments["context"] == 7
    assert found.backbone.arguments["context_blocks"] == [1, 4]
    assert found.learner.arguments["clip_task_gradients"] == 10
    assert type(built(learner="cavia")) is CAVIA


def test_without_flags_a_ticket_has_its_constructor_s_defaults():
    learner, default = built(learner="meta_ticket"), MetaTicket(mlp(3, (4,), hidden=(5,)))
    assert type(learner) is MetaTicket
    assert learner.score_mask.get_config() == {
        **default.score_mask.get_config(),
        "name": learner.score_mask.name,
    }
    assert type(learner.weight_initializer) is type(default.weight_initializer)


def test_flags_reach_the_score_mask():
    flags = {"initial_sparsity": 0.3, "sparsity": "fixed", "prune_classifier": True}
    for learner in ("meta_ticket", "meta_ticket_boil"):
        found = argument("score_mask", learner=learner, **flags).get_config()
        assert flags.items() <= found.items()
    assert "score_mask" not in make(learner="maml").learner.arguments


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("kaiming_normal", initializers.KaimingNormal),
        ("kaiming_uniform", initializers.KaimingUniform),
        ("positive_constant", initializers.PositiveConstant),
        ("signed_constant", initializers.SignedConstant),
    ],
)
def test_initializers_have_names(name, kind):
    found = argument("weight_initializer", learner="meta_ticket", weight_initializer=name)
    assert type(found) is kind


def test_a_tickets_sparsity_is_logged_and_no_other_learners():
    (logging,) = build_schedules(make(learner="meta_ticket_boil"))
    assert type(logging) is MaskSparsity
    assert build_schedules(make(learner="maml")) == []


def test_iterand_is_switched_on_by_its_interval():
    every, logging = build_schedules(make(learner="meta_ticket", iterand_every=100))
    assert (every.every, every.share) == (100, 1.0)
    assert type(logging) is MaskSparsity
    both, _ = build_schedules(make(learner="meta_ticket", iterand_every=7, iterand_share=0.5))
    assert (both.every, both.share) == (7, 0.5)


def test_metaoptnet_has_the_svm_of_the_paper_or_another_head():
    assert argument("head", learner="metaoptnet").get_config() == SVMHead().get_config()
    svm = argument("head", learner="metaoptnet", svm_cost=0.5, svm_diagonal=2.0)
    assert svm.get_config() == SVMHead(0.5, 2.0).get_config()
    ridge = argument("head", learner="metaoptnet", head="ridge", ridge_regularization=7.0)
    assert ridge.get_config() == RidgeHead(7.0).get_config()
    assert make(learner="metaoptnet", initial_scale=3.0).learner.arguments["initial_scale"] == 3


def test_reptile_s_inner_steps_are_adam_s_without_momentum():
    optimizer = argument("inner_optimizer", learner="reptile")
    assert (type(optimizer), optimizer.beta_1) == (Adam, 0)
    arguments = make(
        learner="reptile", test_inner_steps=50, inner_reduction="sum"
    ).learner.arguments
    assert (arguments["evaluation_steps"], arguments["inner_reduction"]) == (50, "sum")


def test_flags_reach_reptile_s_inner_optimizer():
    sgd = {"learner": "reptile", "inner_optimizer": "sgd"}
    momentum = argument("inner_optimizer", **sgd, inner_momentum=0.9)
    assert (type(momentum), momentum.momentum) == (SGD, 0.9)
    adam = argument("inner_optimizer", learner="reptile", inner_optimizer="adam")
    assert (type(adam), adam.beta_1, adam.epsilon) == (Adam, 0, 1e-8)  # the authors'
    assert (
        argument(
            *("inner_optimizer",), learner="reptile", inner_optimizer="adam", inner_beta_1=0.5
        ).beta_1
        == 0.5
    )


@pytest.mark.parametrize("kind", registry.KINDS, ids=lambda kind: kind.flag)
def test_all_rows_of_a_kind_are_constructors(kind):
    from launch.construction.building import constructor_of

    for name, row in kind.rows.items():
        assert row is None or callable(constructor_of(row.constructor)), name
