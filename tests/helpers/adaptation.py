"""A task that a learner adapts to outside of training."""

from tfmgaug.engine import prediction
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import replace


def evaluation(learner, **how):
    """The context of an evaluation, in the learner's mode unless `how` has another."""
    return Context(**{"statistics": learner.statistics, **how})


def adapted(learner, episode, steps=None, state=None, **how):
    """The state after adaptation, from the start or from another state."""
    context = evaluation(learner, **how)
    if state is None:
        state = learner.initial_state(context.starting_from(episode.support_x, episode.support_y))
    return learner.adapt_state(state, episode.support_x, episode.support_y, context, steps)


def predicted(learner, state, x, **how):
    """Logits or values, from a state that was adapted in the same way."""
    return prediction.query(learner, state, x, evaluation(learner, **how))[0]


def weights_of(learner, state):
    """All weights of the network by name, adapted where the state says so."""
    return replace(learner.network.params, state)
