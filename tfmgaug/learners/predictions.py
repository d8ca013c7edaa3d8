"""What a learner predicts of a task that it has adapted to, and how well."""

import tensorflow as tf

from tfmgaug import losses
from tfmgaug.episode import Outcome
from tfmgaug.learners.network import Network


class Predictions(Network):
    """How a learner's predictions are made and measured."""

    def predict_state(self, state, x, prune=None, statistics=None):
        """Predicts with an adapted state.

        Args:
            state: from `adapt_state`, with the same mode.
            x: inputs of one task, `[n, ...]`.
            prune: as in `adapt_state`.
            statistics: as in `adapt_state`.

        Returns:
            Logits `[n, way]`, or values `[n, outputs]`.
        """
        return self.query(state, x, prune, statistics or self.statistics)[0]

    def query(self, state, x, prune, mode, noise=None, training=False):
        """Predicts as `predict_state` does, and returns the statistics of `x` too."""
        outputs, new = self.forward_adapted(state, x, prune, mode, noise, training=training)
        return self.read_out(outputs, state), new

    def outcomes(self, logits, targets):
        """Measures each prediction.

        Args:
            logits: `[n, way]`.
            targets: labels `[n]`, values, or `losses.Mixed`.

        Returns:
            An `Outcome` of tensors `[n]`.
        """
        loss = losses.per_example(self.loss_fn, targets, logits)
        return Outcome(loss, losses.hits(targets, logits) if self.classification else None)

    def outcome(self, logits, targets):
        """Measures predictions.

        Args:
            logits: `[n, way]`.
            targets: labels `[n]`, values, or `losses.Mixed`.

        Returns:
            An `Outcome` of scalars, the means over examples.
        """
        each = self.outcomes(logits, targets)
        return Outcome(*(None if part is None else tf.reduce_mean(part) for part in each))

    @property
    def classification(self):
        """Whether labels are integers and accuracy has a meaning."""
        return losses.is_classification(self.loss_fn)

    @property
    def _outcome_names(self):
        return ["loss", "accuracy"] if self.classification else ["loss"]

    def step_outcomes(self, episode, statistics=None):
        """Measures a task's queries before adaptation and after each inner step.

        Args:
            episode: `Episode` of one task.
            statistics: a mode; None: the learner's own.

        Returns:
            An `Outcome` of tensors `[evaluation_steps + 1]`.
        """
        mode = statistics or self.statistics

        def adapt(state, steps):
            return self.adapt_in_evaluation(
                state, episode.support_x, episode.support_y, steps, None, mode
            )

        def measure(step, state, arrays):
            logits = self.predict_state(state, episode.query_x, None, mode)
            measured = self.outcome(logits, episode.query_y).named()
            return {
                name: array.write(step, tf.cast(measured[name], tf.float32))
                for name, array in arrays.items()
            }

        def advance(step, state, arrays):
            state = adapt(state, 1)
            return step + 1, state, measure(step, state, arrays)

        arrays = {
            name: tf.TensorArray(tf.float32, self.evaluation_steps + 1, element_shape=[])
            for name in self._outcome_names
        }
        state = adapt(self.start(), 0)
        loop = (tf.constant(1), state, measure(0, state, arrays))
        if self.evaluation_steps:
            loop = tf.while_loop(
                lambda step, *_: step <= self.evaluation_steps, advance, loop, parallel_iterations=1
            )
        return Outcome(**{"accuracy": None, **{n: array.stack() for n, array in loop[2].items()}})

    def adapted_state(self, support_x, support_y, statistics=None):
        """Adapts to one task, from the start, and notes which classes have support.

        Args:
            support_x: `[n, ...]`.
            support_y: `[n]` labels, or targets.
            statistics: a mode; None: the learner's own.

        Returns:
            The state, with "classes" (bool, `[way]`) for classification.
        """
        state = self.adapt_in_evaluation(self.start(), support_x, support_y, statistics=statistics)
        if self.classification:
            way = tf.reduce_max(support_y) + 1 if self.way is None else self.way
            present = tf.one_hot(support_y, way, on_value=True, off_value=False, dtype=tf.bool)
            state["classes"] = tf.reduce_any(present, axis=0)
        return state

    def probabilities(self, state, x, statistics=None):
        """Predicts with the result of `adapted_state`.

        Args:
            state: from `adapted_state`, with the same mode.
            x: `[n, ...]`.
            statistics: a mode; None: the learner's own.

        Returns:
            Probabilities `[n, way]`, zero for classes without support; or values `[n, outputs]`.
        """
        outputs = self.predict_state(state, x, None, statistics)
        if not self.classification:
            return outputs
        return tf.nn.softmax(tf.where(state["classes"], outputs, outputs.dtype.min))
