from types import SimpleNamespace

from launch.construction import cavia

FLAGS = ("context", "context_blocks", "clip_task_gradients")


def options(learner="cavia", backbone="conv4", **given):
    flags = {**dict.fromkeys(FLAGS), **given}
    return SimpleNamespace(learner=learner, backbone=backbone, **flags)


def test_contexts_have_the_sizes_of_the_authors():
    assert cavia.backbone_options(options()) == {"context": 100}
    assert cavia.backbone_options(options(backbone="mlp")) == {"context": 5}
    assert cavia.learner_options(options()) == {}


def test_flags_reach_the_constructors():
    given = options(context=7, context_blocks=["1", "4"], clip_task_gradients=10.0)
    assert cavia.backbone_options(given) == {"context": 7, "context_blocks": [1, 4]}
    assert cavia.learner_options(given) == {"clip_task_gradients": 10.0}


def test_other_learners_get_nothing():
    assert cavia.learner_options(options("maml")) == {}
    assert cavia.backbone_options(options("maml")) == {}
