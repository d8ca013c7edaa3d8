"""What a learner computes for one task: tensors in, tensors out, nothing assigned."""

import keras
import tensorflow as tf

from tfmgaug.inner_loop import connected
from tfmgaug.learners.predictions import Predictions
from tfmgaug.learners.task_run import TaskRun
from tfmgaug.learners.variables import aligned, names_of, values
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers.noise import Noise


class TaskFunctions(Predictions):
    """How one task is learned, differentiated and measured.

    The half of a `MetaLearner` that knows no batches, optimizers or callbacks. A subclass overrides
    what stands in `LearningRule`.
    """

    @property
    def meta_variables(self):
        """The variables that the outer loop learns, in the order of `meta_gradients`."""
        return [*self.own_variables, *(v for one in self.regularizers for v in one.variables)]

    @property
    def _variables(self):
        """All that a task reads."""
        return [*self.meta_variables, *self.fixed_variables]

    def _scope(self, theta, carried=()):
        """Lets tensors stand for the first of `_variables`, and what they are now for the rest.

        Args:
            theta: list of tensors, aligned with the first of `_variables`.
            carried: list of tensors that stand for `carried_variables`; empty: as they are now.
        """
        read = zip(self._variables, self._read(theta))
        mapping = [*read, *zip(self.carried_variables, carried)]
        return keras.StatelessScope(state_mapping=mapping)

    def _read(self, theta):
        return [*theta, *values(self._variables[len(theta) :])]

    def weights_in(self, theta):
        """Picks what stands for the backbone's weights, whether it is meta-learned or not.

        Args:
            theta: list of tensors aligned with `meta_variables`.

        Returns:
            A list aligned with the backbone's trainable variables.
        """
        return aligned(self._read(theta), self._variables, self.backbone.trainable_variables)

    def standing_for(self, variables, tensors, theta):
        """Lets tensors stand for some of the variables, whatever the outer loop learns of them.

        Args:
            variables: list of variables that a task reads.
            tensors: list of tensors aligned with them.
            theta: list of tensors aligned with `meta_variables`, which stand for the others.

        Returns:
            A list that stands for all that a task reads, as methods take for `theta`.
        """
        chosen = {id(v): tensor for v, tensor in zip(variables, tensors, strict=True)}
        read = zip(self._variables, self._read(theta), strict=True)
        return [chosen.get(id(variable), tensor) for variable, tensor in read]

    def meta_gradient(self, theta, episode, prune=None, own_key=None, coupling=None):
        """Differentiates one task's query loss after adaptation, and what regularizers add to it.

        Args:
            theta: list of tensors aligned with `meta_variables`.
            episode: `Episode` of one task.
            prune: function from weights to weights, or None for the full network.
            own_key: stateless key, `[2]`; None: the task's at this step.
            coupling: what regularizers that couple tasks say of this one, by their number.

        Returns:
            The gradients aligned with `theta`, the `Outcome` without penalties, and the query
            batch's statistics.
        """
        acting = [one for one in self.regularizers if prune is None or one.subnetworks]
        with self._scope(theta):
            run = self.training_run(acting, episode, prune, own_key, coupling)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(theta)
            with self._scope(theta):
                outcome = self._regularized_outcome(acting, run)
                penalty = sum(one.penalty(run) for one in acting if one.overrides("penalty"))
                objective, statistics = outcome.loss + penalty, run.statistics
        gradients = tape.gradient(objective, theta)
        return self._complete(gradients, theta, acting), outcome, statistics

    def training_run(self, acting, episode, prune=None, own_key=None, coupling=None):
        """Sets a task up for training: drawn on by regularizers, not yet adapted.

        Args:
            acting: list of those of the regularizers that act.
            episode: `Episode` of one task.
            prune: as in `meta_gradient`.
            own_key: as in `meta_gradient`.
            coupling: as in `meta_gradient`.

        Returns:
            A `TaskRun`.
        """
        if not acting:
            return TaskRun(self, episode, prune)
        step = tf.convert_to_tensor(self.step)
        own_key = self._task_key(episode) if own_key is None else own_key

        def run(episode, *coupled):
            noise = Noise(acting, own_key, step)
            return TaskRun(self, episode, prune, noise, own_key, *coupled)

        for number, regularizer in enumerate(acting):
            episode = regularizer.episode(
                episode,
                fold(own_key, "episode", number),
                # Not corrected, so that both passes of what couples tasks choose alike.
                lambda changed: run(changed).plain_outcome.loss,
            )
        return run(episode, coupling, [one for one in acting if one.overrides("correct")])

    def _task_key(self, episode):
        return fold(key(self.seed), tf.convert_to_tensor(self.step), episode.index)

    def _regularized_outcome(self, acting, run):
        replacing = [one for one in acting if one.overrides("outcome")]
        return replacing[0].outcome(run) if replacing else run.plain_outcome

    def _complete(self, gradients, theta, acting):
        """Refuses gradients that are missing, but of regularizers that didn't take part."""
        idle = {
            id(variable)
            for one in self.regularizers
            if one not in acting
            for variable in one.variables
        }
        gradients = [
            tf.zeros_like(tensor) if gradient is None and id(variable) in idle else gradient
            for gradient, tensor, variable in zip(gradients, theta, self.meta_variables)
        ]
        return connected(gradients, names_of(self.meta_variables))

    def weight_gradient(self, theta, episode):
        """Differentiates one task's query loss at the weights before adaptation.

        Args:
            theta: list of tensors aligned with `meta_variables`.
            episode: `Episode` of one task.

        Returns:
            The gradients aligned with the backbone's trainable variables, and the `Outcome`.

        Reference:
            Wang et al., MGAug, Eq. 5.
        """
        read = self._read(theta)
        weights = self.weights_in(read)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            outcome = self._outcome_before(read, episode)
        return connected(tape.gradient(outcome.loss, weights), self.weight_names), outcome

    def _outcome_before(self, theta, episode):
        with self._scope(theta):
            return TaskRun(self, episode).initial_outcome

    @property
    def _scores_by_query_loss(self):
        return self.augmentation is not None and self.augmentation.mask.score == "query_loss"

    @property
    def _measures_before(self):
        return self.inner_steps > 0 and (self.measure_before or self._scores_by_query_loss)

    def _before_adaptation(self, theta, episode, gradients):
        """Returns the gradients that a mask scores by, and the outcome before adaptation."""
        if self._scores_by_query_loss:
            return self.weight_gradient(theta, episode)
        before = self._outcome_before(theta, episode) if self._measures_before else None
        return self._scoring(gradients), before

    def _scoring(self, gradients):
        """Picks the meta-gradients in the backbone's weights, for a mask that scores by them."""
        if self.augmentation is None or self.augmentation.mask.score is None:
            return None
        return self.in_weights(gradients)

    def in_weights(self, gradients):
        """Picks the meta-gradients in the backbone's weights.

        Args:
            gradients: list aligned with `meta_variables`, of a learner that learns all weights.

        Returns:
            A list aligned with the backbone's trainable variables.
        """
        return aligned(gradients, self.meta_variables, self.backbone.trainable_variables)

    def _task(self, theta, episode, coupling=None):
        """Computes one task's share of an outer step.

        Returns:
            The gradients with those of sub-networks, the query batch's statistics, a dictionary of
            float32 scalars, and what stands for `carried_variables` in the next task.
        """
        found = self.meta_gradient(theta, episode, coupling=coupling)
        return *self._augmented(theta, episode, coupling, *found), []

    def _augmented(self, theta, episode, coupling, gradients, after, statistics):
        scoring, before = self._before_adaptation(theta, episode, gradients)
        if self.augmentation is not None:
            gradients = self.augmentation.augment(
                gradients,
                lambda own, prune, own_key: self.meta_gradient(
                    theta, own, prune, own_key, coupling
                )[0],
                self.weights_in(theta),
                scoring,
                episode,
                tf.convert_to_tensor(self.step),
                self._task_key(episode),
            )
        measures = {**after.named(), **(before.named("_before") if self._measures_before else {})}
        return gradients, statistics, {n: tf.cast(v, tf.float32) for n, v in measures.items()}
