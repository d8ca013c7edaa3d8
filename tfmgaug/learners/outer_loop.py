"""The loop over a batch of tasks: means whose memory does not grow with the batch."""

import tensorflow as tf

from tfmgaug.learners.tree_sum import TreeSum


def mean_over_tasks(task, batch, like, measures, parallel_tasks, carried=()):
    """Averages what a function returns for each task of a batch.

    `mean = 1/T sum_t term_t`, added up inside the loop in pairwise order.

    Args:
        task: function from an `Episode` of one task, whatever else stands in `batch`, and the list
            `carried`, to a term (list of tensors), a dictionary of float32 scalars, and the list
            that the next task is given.
        batch: tuple of these arguments with a leading task axis.
        like: list of tensors shaped like a term.
        measures: names of the scalars.
        parallel_tasks: how many tasks may be computed side by side; 1 if something is carried.
        carried: list of tensors that the first task is given.

    Returns:
        The list of means, a dictionary of scalars per task, `[tasks]` each, and the list that the
        last task handed on.
    """
    tree = TreeSum(like, terms=batch[0].query_y.shape[0])
    tasks = tf.shape(batch[0].query_y)[0]

    def add_task(number, levels, arrays, carried):
        own = tf.nest.map_structure(lambda part: part[number], batch)
        term, scalars, carried = task(*own, carried)
        arrays = {name: array.write(number, scalars[name]) for name, array in arrays.items()}
        return number + 1, tree.add(levels, number, term), arrays, list(carried)

    arrays = {name: tf.TensorArray(tf.float32, tasks, element_shape=[]) for name in measures}
    _, levels, arrays, carried = tf.while_loop(
        lambda number, *_: number < tasks,
        add_task,
        (tf.constant(0), tree.start(), arrays, list(carried)),
        parallel_iterations=parallel_tasks,
    )
    means = [total / tf.cast(tasks, total.dtype) for total in tree.total(levels)]
    return means, {name: array.stack() for name, array in arrays.items()}, carried
