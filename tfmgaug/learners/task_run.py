"""One task after adaptation, as query losses and penalties see it."""

import functools


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
        coupling: dictionary from a regularizer's number to what its `couple` says of this task.
    """

    def __init__(self, learner, episode, prune=None, noise=None, key=None, coupling=None):
        self.learner = learner
        self.episode = episode
        self.prune = prune
        self.noise = noise
        self.key = key
        self._coupling = coupling

    def coupling(self, regularizer):
        """Returns what a regularizer's `couple` says of this task, a float32 scalar."""
        number = [one is regularizer for one in self.learner.regularizers].index(True)
        return self._coupling[str(number)]

    @functools.cached_property
    def initial(self):
        """The state before adaptation."""
        return self._adapt(steps=0)

    @functools.cached_property
    def adapted(self):
        """The state after adaptation."""
        return self._adapt(steps=None)

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

    def _adapt(self, steps):
        return self.learner.adapt_state(
            self.learner.start(),
            self.episode.support_x,
            self.episode.support_y,
            steps,
            self.prune,
            self.learner.training_mode,
            self.noise,
        )

    def _query(self, state):
        noise = None if self.noise is None else self.noise.at("query")
        return self.learner.query(
            state, self.episode.query_x, self.prune, self.learner.training_mode, noise
        )
