"""Memory that a deleted learner must not leave behind."""

import gc
import weakref

import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from tests.helpers.tasks import batch, dataset, images, small_conv
from tfmgaug.backbones import mlp
from tfmgaug.learners import MAML, MetaOptNet, MetaTicket, ProtoNet


def net(way=3):
    return mlp(way, (4,), hidden=(5,))


LEARNERS = {
    "pooled normalization": lambda: ProtoNet(small_conv(way=None)),
    "recomputed steps": lambda: MAML(
        net(), inner_steps=1, recompute_inner_steps=True, measure_before=False
    ),
    "a score mask": lambda: MetaTicket(
        net(), inner_steps=1, first_order=True, measure_before=False
    ),
    "a head solved for": lambda: MetaOptNet(net(way=None)),
}


def trained(name):
    """Trains a learner for a step, lets go of it, and returns weak references to it."""
    learner = LEARNERS[name]()
    learner.compile("sgd")
    learner.fit(dataset(images() if "pooled" in name else batch()), verbose=0)
    references = [weakref.ref(learner), weakref.ref(learner.backbone)]
    del learner
    gc.collect()
    return references


def graphs():
    gc.collect()  # of what other tests let go of
    return sum(isinstance(one, FuncGraph) for one in gc.get_objects())


@pytest.mark.parametrize("name", LEARNERS)
def test_nothing_is_left_of_a_learner_that_is_gone(name):
    if name == "pooled normalization":
        trained(name)  # functions that all learners share are traced for the first
    before = graphs()
    references = trained(name)
    assert [reference() for reference in references] == [None, None]
    assert graphs() <= before
