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
        return self.logits(outputs, state), new

    def logits(self, outputs, state):
        """Reads out what the backbone makes of a task's examples.

        Args:
            outputs: of the backbone, `[n, outputs]`.
            state: from `adapt_state`.

        Returns:
            Logits `[n, way]`, masked for classes without support; or values `[n, outputs]`.
        """
        return self.masked(self.read_out(outputs, state), state)

    def task_state(self, support_y):
        """Notes what the support set says of its task: which classes it is about.

        Args:
            support_y: labels `[n]`, or targets.

        Returns:
            A dictionary, a part of the state: "classes" (bool, `[way]`) marks the classes with
            support. Empty for regression.
        """
        if not self.classification:
            return {}
        way = tf.reduce_max(support_y) + 1 if self.way is None else self.way
        present = tf.one_hot(support_y, way, on_value=True, off_value=False, dtype=tf.bool)
        return {"classes": tf.reduce_any(present, axis=0)}

    def masked(self, logits, state):
        """Leaves classes without support out of a task: the only place where that happens.

        A masked logit gives a probability of zero and has no gradient, so that losses, accuracies
        and gradients are those of a network without these outputs.

        Args:
            logits: `[n, way]`, or values.
            state: dictionary with what `task_state` notes. A state that has seen no support set
                has no such note, and masks nothing.

        Returns:
            A tensor like `logits`.
        """
        classes = state.get("classes")
        return logits if classes is None else tf.where(classes, logits, logits.dtype.min)

    def support_loss(self, logits, support_y, task):
        """Measures what inner steps descend on.

        Args:
            logits: of support examples, `[n, way]`, or values.
            support_y: of these examples, labels `[n]` or targets.
            task: of the whole support set, from `task_state`.

        Returns:
            A scalar, the mean over the examples.
        """
        return self.outcome(self.masked(logits, task), support_y).loss

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
        """Adapts to one task, from the start.

        Args:
            support_x: `[n, ...]`.
            support_y: `[n]` labels, or targets.
            statistics: a mode; None: the learner's own.

        Returns:
            The state, with "classes" (bool, `[way]`) for classification.
        """
        return self.adapt_in_evaluation(self.start(), support_x, support_y, statistics=statistics)

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
        return tf.nn.softmax(outputs) if self.classification else outputs
