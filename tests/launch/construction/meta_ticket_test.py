from types import SimpleNamespace

import pytest

from launch.construction import meta_ticket
from launch.construction.learner import LEARNERS
from tfmgaug.backbones import initializers, mlp
from tfmgaug.callbacks import MaskSparsity
from tfmgaug.learners import MetaTicket, MetaTicketBOIL
from tfmgaug.masks import ScoreMask

FLAGS = (
    "initial_sparsity",
    "sparsity",
    "prune_classifier",
    "weight_initializer",
    "iterand_every",
    "iterand_share",
)


def options(learner="meta_ticket", **given):
    return SimpleNamespace(**{**dict.fromkeys(FLAGS), "learner": learner, **given})


def mask(**given):
    return meta_ticket.learner_options(options(**given))["score_mask"].get_config()


def test_without_flags_the_learner_has_its_own_defaults():
    own = meta_ticket.learner_options(options())
    learner = LEARNERS["meta_ticket"](mlp(3, (4,), hidden=(5,)), **own)
    assert type(learner) is MetaTicket
    default = MetaTicket(mlp(3, (4,), hidden=(5,)))
    assert learner.score_mask.initial_sparsity == default.score_mask.initial_sparsity == 0
    assert type(learner.weight_initializer) is type(default.weight_initializer)


def test_boil_has_a_name_too():
    assert LEARNERS["meta_ticket_boil"] is MetaTicketBOIL
    assert isinstance(
        meta_ticket.learner_options(options("meta_ticket_boil"))["score_mask"], ScoreMask
    )


def test_flags_reach_the_mask():
    found = mask(initial_sparsity=0.3, sparsity="fixed", prune_classifier=True)
    assert found["initial_sparsity"] == 0.3
    assert found["sparsity"] == "fixed"
    assert found["prune_classifier"] is True
    assert mask(sparsity="drifting")["sparsity"] == "drifting"


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
    own = meta_ticket.learner_options(options(weight_initializer=name))
    assert type(own["weight_initializer"]) is kind


def test_a_tickets_sparsity_is_logged_and_no_other_learners():
    (logging,) = meta_ticket.callbacks(options("meta_ticket_boil"))
    assert type(logging) is MaskSparsity
    assert meta_ticket.callbacks(options("maml")) == []


def test_iterand_is_switched_on_by_its_interval():
    every, logging = meta_ticket.callbacks(options(iterand_every=100))
    assert (every.every, every.share) == (100, 1.0)
    assert type(logging) is MaskSparsity
    both, _ = meta_ticket.callbacks(options(iterand_every=7, iterand_share=0.5))
    assert (both.every, both.share) == (7, 0.5)


def test_other_learners_get_nothing():
    assert meta_ticket.learner_options(options("maml")) == {}
