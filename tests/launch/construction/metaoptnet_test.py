from types import SimpleNamespace

from launch.construction import metaoptnet
from tfmgaug.heads import RidgeHead, SVMHead

FLAGS = ("head", "initial_scale", "ridge_regularization", "svm_cost", "svm_diagonal")


def own(learner="metaoptnet", **given):
    settings = SimpleNamespace(learner=learner, **{**dict.fromkeys(FLAGS), **given})
    return metaoptnet.learner_options(settings)


def test_without_flags_the_head_is_the_svm_of_the_paper():
    assert list(own()) == ["head"]
    assert own()["head"].get_config() == SVMHead().get_config()


def test_flags_reach_the_constructors():
    svm = own(svm_cost=0.5, svm_diagonal=2.0, initial_scale=3.0)
    assert svm["head"].get_config() == SVMHead(0.5, 2.0).get_config()
    assert svm["initial_scale"] == 3.0
    ridge = own(head="ridge", ridge_regularization=7.0)["head"]
    assert ridge.get_config() == RidgeHead(7.0).get_config()


def test_other_learners_get_nothing():
    assert own("protonet") == {}
