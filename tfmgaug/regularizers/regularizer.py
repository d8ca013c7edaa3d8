"""The base of regularizers, whose hooks do nothing by default."""

from tfmgaug.configured import Configured


class Regularizer(Configured):
    """Takes part in training, never in evaluation.

    Subclasses override one or two hooks. All hooks of one task are called with tensors and return
    tensors; those that draw get a stateless key of their own.

    Args:
        subnetworks: bool, whether it acts on MGAug's sub-networks as on the full network.
    """

    # The backbone's layers, by name, behind which `activations` acts; `attach` may choose them.
    places = ()
    # Likewise the layers behind which `class_activations` acts.
    class_places = ()

    def __init__(self, subnetworks=False):
        self.subnetworks = subnetworks

    def attach(self, learner):
        """Looks at the learner before it trains, refuses it, or makes variables.

        Args:
            learner: `MetaLearner`.

        Raises:
            ValueError: this regularizer has no meaning for it; the error says why.
        """

    @property
    def variables(self):
        """Variables that the outer loop learns beside the learner's own."""
        return []

    def episode(self, episode, key, loss_of):
        """Changes the task that is trained on.

        Args:
            episode: `Episode` of one task.
            key: stateless key, `[2]`.
            loss_of: function from an `Episode` to its query loss after adaptation.

        Returns:
            An `Episode`.
        """
        return episode

    def weights(self, params, key):
        """Changes the weights of one forward pass, before masks do.

        Args:
            params: the network's weights, by name.
            key: stateless key, `[2]`, of this pass.

        Returns:
            A dictionary like `params`.
        """
        return params

    def activations(self, x, place, key, step):
        """Changes what a layer hands on in one forward pass.

        Args:
            x: `[n, ...]`.
            place: the name of the layer, one of `places`.
            key: stateless key, `[2]`, of this pass, the same for all places.
            step: int64 scalar, the outer step.

        Returns:
            A tensor like `x`.
        """
        return x

    def class_activations(self, x, place, labels, key):
        """Changes what a layer hands on, class by class, alike in all passes over a task.

        Args:
            x: `[n, ...]`.
            place: the name of the layer, one of `class_places`.
            labels: `[n]`, of these examples.
            key: stateless key, `[2]`, of the task: what `TaskRun.key` is.

        Returns:
            A tensor like `x`.
        """
        return x

    def inner_gradients(self, gradients, key, step):
        """Changes the gradients of an inner step.

        Args:
            gradients: of the weights that adapt, by name.
            key: stateless key, `[2]`, of this inner step.
            step: int64 scalar, the outer step.

        Returns:
            A dictionary like `gradients`.
        """
        return gradients

    def outcome(self, run):
        """Replaces the loss over the queries.

        Args:
            run: `tfmgaug.engine.task_run.TaskRun`.

        Returns:
            An `Outcome`, whose loss is differentiated.
        """
        raise NotImplementedError

    def penalty(self, run):
        """Adds to the loss that is differentiated.

        Args:
            run: `tfmgaug.engine.task_run.TaskRun`.

        Returns:
            A scalar.
        """
        raise NotImplementedError

    def summary(self, run):
        """Sums up a task for what couples all tasks of a batch; nothing is differentiated.

        Args:
            run: `tfmgaug.engine.task_run.TaskRun`.

        Returns:
            A float32 scalar.
        """
        raise NotImplementedError

    def couple(self, summaries):
        """Says what each task must know of the others, which `run.coupling(self)` returns.

        Args:
            summaries: float32 `[tasks]`, of all replicas.

        Returns:
            A float32 tensor `[tasks]`, held constant.
        """
        raise NotImplementedError

    def averaged(self, run):
        """Sums up a task for a mean over all tasks of a batch; nothing is differentiated.

        Args:
            run: `tfmgaug.engine.task_run.TaskRun`, of which `adapted` isn't known yet.

        Returns:
            A dictionary of tensors like the learner's `initial_state()`. In the second pass
            `run.coupling(self)` is its mean over the tasks of all replicas, held constant.
        """
        raise NotImplementedError

    def correct(self, state, run):
        """Changes the weights after the inner steps, which the queries are then predicted with.

        Args:
            state: dictionary of tensors, from the learner's `adapt_state`.
            run: `tfmgaug.engine.task_run.TaskRun`.

        Returns:
            A dictionary like `state`.
        """
        raise NotImplementedError

    def overrides(self, hook):
        """Returns whether this class has a hook of its own, by name."""
        return getattr(type(self), hook) is not getattr(Regularizer, hook)


def check(regularizers):
    """Returns the list of regularizers, if they can act together.

    Args:
        regularizers: sequence of `Regularizer`.

    Raises:
        TypeError: there is something else among them.
        ValueError: one stands twice in the list or has variables of another learner, or two replace
            the loss over the queries.
    """
    regularizers = list(regularizers)
    for one in regularizers:
        if not isinstance(one, Regularizer):
            raise TypeError(
                f"`regularizers` must be of tfmgaug.regularizers.Regularizer. Received: {one!r}."
            )
    if len({id(one) for one in regularizers}) < len(regularizers):
        raise ValueError("`regularizers` must be distinct. Received: the same one twice.")
    taken = [type(one).__name__ for one in regularizers if one.variables]
    if taken:
        raise ValueError(
            "A regularizer with variables serves one learner: build another for the next. "
            f"Received: {', '.join(taken)}, of another learner."
        )
    replacing = [type(one).__name__ for one in regularizers if one.overrides("outcome")]
    if len(replacing) > 1:
        raise ValueError(
            "At most one regularizer can replace the loss over the queries. "
            f"Received: {', '.join(replacing)}."
        )
    return regularizers
