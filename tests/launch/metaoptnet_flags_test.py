from types import SimpleNamespace

import pytest

from launch import metaoptnet_flags
from tfmgaug.heads import RidgeHead, SVMHead

FLAGS = ("head", "initial_scale", "ridge_regularization", "svm_cost", "svm_diagonal")


def own(learner="metaoptnet", **given):
    settings = SimpleNamespace(learner=learner, **{**dict.fromkeys(FLAGS), **given})
    return metaoptnet_flags.learner_options(settings)


def test_without_flags_the_head_is_the_svm_of_the_paper():
    assert list(own()) == ["head"]
    assert own()["head"].get_config() == SVMHead().get_config()


def test_flags_reach_the_constructors():
    svm = own(svm_cost=0.5, svm_diagonal=2.0, initial_scale=3.0)
    assert svm["head"].get_config() == SVMHead(0.5, 2.0).get_config()
    assert svm["initial_scale"] == 3.0
    ridge = own(head="ridge", ridge_regularization=7.0)["head"]
    assert ridge.get_config() == RidgeHead(7.0).get_config()


def test_flags_of_the_other_head_are_refused():
    with pytest.raises(ValueError, match="other head. Received: --svm_cost with --head=ridge"):
        own(head="ridge", svm_cost=1.0)
    with pytest.raises(ValueError, match="Received: --ridge_regularization with --head=svm"):
        own(ridge_regularization=1.0)


@pytest.mark.parametrize("flag", FLAGS)
def test_other_learners_refuse_all_of_them(flag):
    assert own("protonet") == {}
    with pytest.raises(ValueError, match=f"Received: --{flag} with --learner=protonet"):
        own("protonet", **{flag: 1.0})
