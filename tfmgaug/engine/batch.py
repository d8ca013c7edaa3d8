"""The loop over a batch of tasks: means whose memory does not grow with the batch."""

from typing import Any, NamedTuple

from tfmgaug.engine import coupling, penalties
from tfmgaug.engine.params import Params, read, select
from tfmgaug.engine.task import augmented_task
from tfmgaug.engine.tree_sum import mean_over_tasks
from tfmgaug.episode import Episode
from tfmgaug.types import Learner


class BatchGradient(NamedTuple):
    """What an outer step learns from a batch of tasks.

    Attributes:
        gradients: meta-gradients by the names of `learner.meta_params`, averaged over tasks.
        statistics: the queries' statistics of normalization, averaged over tasks; empty unless the
            learner keeps running averages of them.
        measures: dictionary from names to float32 tensors `[tasks]`.
        carried: by name, what the last task hands on to the next batch.
    """

    gradients: Params
    statistics: Params
    measures: dict[str, Any]
    carried: Params


def batch_gradient(learner: Learner, episodes: Episode) -> BatchGradient:
    """Computes the meta-gradient of a batch of tasks.

    `g = 1/T sum_t g_t`, added up inside the loop in pairwise order.

    Args:
        learner: `MetaLearner`.
        episodes: `Episode` with a leading task axis.

    Returns:
        A `BatchGradient`.
    """
    theta = learner.meta_params
    running = read(learner.running_variables)
    descents = penalties.descents(learner.named(learner.meta_variables), theta)

    def task(episode, coupled, carried):
        with learner.scope({**theta, **carried}):
            learned, measures = augmented_task(learner, theta, episode, {**coupled, **averages})
        # To each task, and not to their mean: so rounding is the same on replicas.
        gradients = penalties.add(learned.gradients, descents)
        return (gradients, select(learned.statistics, running)), measures, learned.carried

    # Variables are read once, here: reading one within the loop would order its iterations.
    with learner.scope(theta):
        averages = coupling.averages(learner, episodes)
        coupled = coupling.couple(learner, episodes)
        (gradients, statistics), measures, carried = mean_over_tasks(
            task,
            (episodes, coupled),
            like=(theta, running),
            measures=learner.training_measures,
            parallel_tasks=learner.parallel_tasks,
            carried=read(learner.carried_variables),
        )
    return BatchGradient(gradients, statistics, measures, carried)
