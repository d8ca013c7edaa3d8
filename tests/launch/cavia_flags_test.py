from types import SimpleNamespace

import pytest

from launch import cavia_flags

FLAGS = ("context", "context_blocks", "clip_task_gradients")


def options(learner="cavia", backbone="conv4", **given):
    flags = {**dict.fromkeys(FLAGS), **given}
    return SimpleNamespace(learner=learner, backbone=backbone, **flags)


def test_contexts_have_the_sizes_of_the_authors():
    assert cavia_flags.backbone_options(options()) == {"context": 100}
    assert cavia_flags.backbone_options(options(backbone="mlp")) == {"context": 5}
    assert cavia_flags.learner_options(options()) == {}


def test_flags_reach_the_constructors():
    given = options(context=7, context_blocks=["1", "4"], clip_task_gradients=10.0)
    assert cavia_flags.backbone_options(given) == {"context": 7, "context_blocks": [1, 4]}
    assert cavia_flags.learner_options(given) == {"clip_task_gradients": 10.0}


@pytest.mark.parametrize(("flag", "value"), list(zip(FLAGS, (3, ["3"], 10.0))))
def test_other_learners_refuse_all_of_them(flag, value):
    assert cavia_flags.learner_options(options("maml")) == {}
    assert cavia_flags.backbone_options(options("maml")) == {}
    with pytest.raises(ValueError, match=f"Received: --{flag} with --learner=maml"):
        cavia_flags.learner_options(options("maml", **{flag: value}))


def test_other_backbones_are_refused():
    with pytest.raises(ValueError, match="goes into --backbone=conv4 or mlp. Received: .*resnet12"):
        cavia_flags.backbone_options(options(backbone="resnet12"))
    with pytest.raises(ValueError, match="--context_blocks are of --backbone=conv4"):
        cavia_flags.backbone_options(options(backbone="mlp", context_blocks=["1"]))
