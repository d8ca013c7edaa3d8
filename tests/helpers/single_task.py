"""One task in training: what it teaches the outer loop, and how it is run."""

import dataclasses

from tfmgaug.engine.task import TaskRun


def task_gradient(learner, episode, theta=None, **changed):
    """The `TaskGradient` of one task; `changed` are attributes of its context."""
    context = dataclasses.replace(learner.training_context(episode), **changed)
    theta = learner.meta_params if theta is None else theta
    return learner.task_gradient(theta, episode, context)


def training_run(learner, episode):
    """The run of the full network, with all of the learner's regularizers."""
    return TaskRun.of(learner, episode, learner.regularizers)


def moved(weights, direction, step):
    """Named weights, moved along named directions."""
    return {name: weight + step * direction[name] for name, weight in weights.items()}
