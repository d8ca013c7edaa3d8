"""One task after adaptation, as query losses and penalties see it."""

import functools

import tensorflow as tf

from tfmgaug import batch_statistics


class TaskRun:
    """A task that is being trained on, computed as far as somebody asks.

    What is computed is kept: ask for it before entering a `tf.cond`, `tf.switch_case` or loop that
    uses it, not within.

    Args:
        learner: the `MetaLearner`.
        episode: `Episode` of one task.
        prune: function from weights to weights, or None for the full network.
        noise: `Noise`, or None.
        key: stateless key, `[2]`, of this run; None where nothing is drawn.
        coupling: dictionary from a regularizer's number to what its `couple` says of this task, or
            to the mean of what its `averaged` says of all.
        correcting: list of regularizers that correct the weights after adaptation.
    """

    def __init__(
        self,
        learner,
        episode,
        prune=None,
        noise=None,
        key=None,
        coupling=None,
        correcting=(),
    ):
        self.learner = learner
        self.episode = episode
        self.prune = prune
        self.noise = noise
        self.key = key
        self._coupling = coupling
        self._correcting = correcting

    def on(self, episode):
        """Returns the run of another episode, with the same draws."""
        return TaskRun(
            self.learner,
            episode,
            self.prune,
            self.noise,
            self.key,
            self._coupling,
            self._correcting,
        )

    def coupling(self, regularizer):
        """Returns what a regularizer's `couple` says of this task, or its mean over tasks."""
        number = [one is regularizer for one in self.learner.regularizers].index(True)
        return self._coupling[str(number)]

    @functools.cached_property
    def initial(self):
        """The state before adaptation."""
        return self._adapt(steps=0)

    @functools.cached_property
    def descended(self):
        """The state after the inner steps, before anything corrects it."""
        return self._adapt(steps=None)

    @functools.cached_property
    def adapted(self):
        """The state after adaptation."""
        state = self.descended
        for one in self._correcting:
            state = one.correct(state, self)
        corrected = state is not self.descended
        if corrected and self.learner.training_mode == batch_statistics.SUPPORT:
            state = self._with_own_statistics(state)
        return state

    @functools.cached_property
    def initial_logits(self):
        """Predictions of the queries before adaptation, `[n, way]`."""
        return self._query(self.initial)[0]

    @functools.cached_property
    def logits(self):
        """Predictions of the queries after adaptation, `[n, way]`."""
        return self._adapted_query[0]

    @property
    def statistics(self):
        """The query batch's statistics of normalization after adaptation."""
        return self._adapted_query[1]

    def activations(self, place):
        """Returns the queries' activations after adaptation, before noise was added to them.

        Args:
            place: the layer behind which they are, one of a regularizer's `places`.
        """
        return self._adapted_query[2].clean[place]

    @functools.cached_property
    def _adapted_query(self):
        return self._query(self.adapted)

    @functools.cached_property
    def plain_outcome(self):
        """How well the queries are predicted after adaptation: an `Outcome`."""
        return self.learner.outcome(self.logits, self.episode.query_y)

    @functools.cached_property
    def initial_outcome(self):
        """How well the queries are predicted before adaptation: an `Outcome`."""
        return self.learner.outcome(self.initial_logits, self.episode.query_y)

    def hidden(self, x, depth, start=0, labels=None):
        """Computes features after adaptation, in the network that predicts the queries.

        Args:
            x: examples `[n, ...]`, or what the first `start` stages made of them.
            depth: int from `start` to the number of the learner's `stages`; 0 is the input.
            start: int.
            labels: of these examples; None: those of the queries.

        Returns:
            What `depth` stages make of the examples, `[n, ...]`.
        """
        if start == 0:
            x = tf.cast(x, self.learner.backbone.inputs[0].dtype)
        noise, mode = self._query_noise(labels), self.learner.training_mode
        for stage in self.learner.stages[start:depth]:
            x, _ = self.learner.forward_adapted(
                self.adapted, x, self.prune, mode, noise, stage, training=True
            )
        return x

    def from_hidden(self, hidden, depth):
        """Predicts from features that `hidden` gave at this depth: logits `[n, way]`."""
        outputs = self.hidden(hidden, len(self.learner.stages), start=depth)
        return self.learner.logits(outputs, self.adapted)

    def _adapt(self, steps):
        return self.learner.adapt_in_training(self, steps)

    def _with_own_statistics(self, state):
        """Replaces the support set's statistics by those of the state's own weights."""
        episode, mode = self.episode, self.learner.training_mode
        return self.learner.adapt_state(
            state, episode.support_x, episode.support_y, 0, self.prune, mode, self.noise, True
        )

    def _query(self, state):
        noise, mode = self._query_noise(), self.learner.training_mode
        predicted = self.learner.query(
            state, self.episode.query_x, self.prune, mode, noise, training=True
        )
        return *predicted, noise

    def _query_noise(self, labels=None):
        if self.noise is None:
            return None
        return self.noise.at("query", labels=self.episode.query_y if labels is None else labels)
