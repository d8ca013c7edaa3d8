"""What a learner computes for one task: tensors in, tensors out, nothing assigned."""

import functools

import keras
import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.backbones import preparation, stages
from tfmgaug.episode import Outcome
from tfmgaug.inner_loop import connected
from tfmgaug.learners import replicas
from tfmgaug.learners.outer_loop import mean_over_tasks
from tfmgaug.learners.parts import parts_behind
from tfmgaug.learners.task_run import TaskRun
from tfmgaug.learners.variables import aligned, names_of, values
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers.noise import Noise


class TaskFunctions:
    """How one task is learned, differentiated and measured.

    The half of a `MetaLearner` that knows no batches, optimizers or callbacks. A subclass overrides
    the first block.
    """

    inner_steps = 0
    second_order = False
    magnitude_mask = None
    # Whether the outer loop learns the backbone's weights; otherwise they are what they are.
    learns_weights = True

    # What a subclass says.

    @property
    def classifier(self):
        """The backbone's layer that makes the logits; None if it only embeds."""
        return preparation.classifier_of(self.backbone)

    @property
    def way(self):
        """The number of outputs; None if the support set decides."""
        return self.backbone.output_shape[-1]

    @property
    def own_variables(self):
        """The variables that this learner's outer loop learns, the backbone's first."""
        return list(self.backbone.trainable_variables) if self.learns_weights else []

    @property
    def fixed_variables(self):
        """The variables that a task reads and the outer loop doesn't learn."""
        weights = [] if self.learns_weights else self.backbone.trainable_variables
        masks = [] if self.magnitude_mask is None else self.magnitude_mask.masks
        statistics = self.backbone.non_trainable_variables
        return [*weights, *statistics, *masks, *self.carried_variables, self.step]

    @property
    def carried_variables(self):
        """Those of them that each task of a batch changes for the next one."""
        return []

    @property
    def evaluation_steps(self):
        """The number of inner steps outside of training."""
        return self.inner_steps

    # Cached properties stay out of Keras's tracking: all models share the backbone's layers.
    @functools.cached_property
    def stages(self):
        """The backbone as a list of models that follow one another."""
        return stages(self.backbone)

    def inner_rates(self):
        """Returns the inner learning rates by weight; none without inner steps."""
        return {}

    def start(self):
        """Returns the state before adaptation: a dictionary of tensors."""
        return {}

    def adapt_state(
        self, state, support_x, support_y, steps=None, prune=None, statistics=None, noise=None
    ):
        """Adapts to a support set; one step at a time gives the same as all at once.

        Args:
            state: dictionary of tensors, from `start` or from an earlier call.
            support_x: inputs of one task, `[way * shot, ...]`.
            support_y: labels or targets of one task.
            steps: number of inner steps, an integer or int32 scalar; None: the learner's own.
            prune: function from the backbone's weights to those of a sub-network, or None.
            statistics: a mode; None: the learner's own.
            noise: `Noise` of the task in training, or None.

        Returns:
            The new state.
        """
        raise NotImplementedError

    def adapt_in_training(self, run, steps=None):
        """Adapts to the task of a run, from the start.

        Args:
            run: `TaskRun`.
            steps: as in `adapt_state`.

        Returns:
            The new state.
        """
        episode = run.episode
        return self.adapt_state(
            self.start(),
            episode.support_x,
            episode.support_y,
            steps,
            run.prune,
            self.training_mode,
            run.noise,
        )

    def adapt_in_evaluation(
        self, state, support_x, support_y, steps=None, prune=None, statistics=None
    ):
        """Adapts as `adapt_state` does, and keeps what the mode needs to predict queries."""
        state = self.adapt_state(state, support_x, support_y, steps, prune, statistics)
        if (statistics or self.statistics) == batch_statistics.ONE_BY_ONE:
            # Queries will be normalized together with it.
            state = {**state, "support_x": tf.convert_to_tensor(support_x)}
        return state

    def pruned(self, weights, prune):
        """Prunes weights for one forward pass.

        Args:
            weights: list aligned with the backbone's trainable variables.
            prune: function from weights to those of a sub-network, or None.

        Returns:
            A list like `weights`.
        """
        if self.magnitude_mask is not None:
            weights = self.magnitude_mask(weights)
        return weights if prune is None else prune(weights)

    def read_out(self, outputs, state):
        """Turns the backbone's outputs `[n, outputs]` into logits `[n, way]`."""
        return outputs

    # One task.

    @property
    def meta_variables(self):
        """The variables that the outer loop learns, in the order of `meta_gradients`."""
        return [*self.own_variables, *(v for one in self.regularizers for v in one.variables)]

    def forward(
        self, weights, x, prune=None, statistics=None, training=True, model=None, noise=None
    ):
        """Calls the backbone with given weights: the only place where that happens.

        Args:
            weights: list aligned with the backbone's trainable variables.
            x: `[n, ...]`.
            prune: function from weights to weights, or None.
            statistics: list aligned with the backbone's non-trainable variables; None takes their
                values.
            training: whether to normalize by the statistics of `x`.
            model: a part of the backbone, made of its layers; None: the whole.
            noise: `Noise` of this pass, or None.

        Returns:
            Outputs `[n, outputs]` in float32 or better, and the statistics of `x`.
        """
        if noise is not None:
            weights = noise.weights(weights)
        weights = self.pruned(weights, prune)  # last: noise would revive what is pruned
        if statistics is None:
            statistics = values(self.backbone.non_trainable_variables)
        if model is None:
            model, x = self.backbone, tf.cast(x, self.backbone.inputs[0].dtype)
        new, owners = [], []
        for part, place in self._parts(model, () if noise is None else noise.places):
            x, own = part.stateless_call(
                aligned(weights, self.backbone.trainable_variables, part.trainable_variables),
                aligned(
                    statistics, self.backbone.non_trainable_variables, part.non_trainable_variables
                ),
                x,
                training=training,
            )
            new, owners = new + own, owners + part.non_trainable_variables
            if place is not None:
                x = noise.activations(x, place)
        return losses.at_least_float32(x), aligned(new, owners, model.non_trainable_variables)

    def _parts(self, model, places):
        if not places:
            return [(model, None)]
        if (id(model), places) not in self._divided:
            self._divided[id(model), places] = parts_behind(model, places)
        return self._divided[id(model), places]

    @functools.cached_property
    def _divided(self):
        return {}

    def weights_of(self, state):
        """Returns the backbone's weights, adapted where the state says so."""
        current = values(self.backbone.trainable_variables)
        return [state.get(name, value) for name, value in zip(self.weight_names, current)]

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

    def query(self, state, x, prune, mode, noise=None):
        """Predicts as `predict_state` does, and returns the statistics of `x` too."""
        outputs, new = self.forward_adapted(state, x, prune, mode, noise)
        return self.read_out(outputs, state), new

    def forward_adapted(self, state, x, prune, mode, noise=None, model=None):
        """Calls the backbone, or a part of it, with an adapted state, as it is called on queries.

        Args:
            state: from `adapt_state`, with the same mode.
            x: `[n, ...]`.
            prune: as in `adapt_state`.
            mode: which statistics normalize `x`.
            noise: `Noise` of this pass, or None.
            model: as in `forward`.

        Returns:
            As `forward`.

        Raises:
            ValueError: the mode needs running statistics, and the learner has none.
        """
        if mode == batch_statistics.RUNNING and self.statistics != mode:
            raise ValueError(
                "Running statistics are averaged in training only by learners built with "
                f"statistics='running'. Received: a learner with statistics={self.statistics!r}."
            )
        if mode == batch_statistics.ONE_BY_ONE:
            return self._forward_one_by_one(state, x, prune)
        given = None
        if mode == batch_statistics.SUPPORT:
            given = [state[name] for name in self.statistics_names]
        training = mode == batch_statistics.TRANSDUCTIVE
        return self.forward(self.weights_of(state), x, prune, given, training, model, noise)

    def _forward_one_by_one(self, state, x, prune):
        weights, dtype = self.weights_of(state), self.backbone.inputs[0].dtype
        support = tf.cast(state["support_x"], dtype)

        def predict(one):
            both = tf.concat([support, one[tf.newaxis]], axis=0)
            return self.forward(weights, both, prune)[0][-1]

        outputs = tf.map_fn(
            predict,
            tf.cast(x, dtype),
            fn_output_signature=tf.as_dtype(losses.at_least_float32(tf.zeros([], dtype)).dtype),
            parallel_iterations=self.parallel_tasks,
        )
        # Each query has statistics of its own: there are none to hand on.
        return outputs, values(self.backbone.non_trainable_variables)

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
    def training_mode(self):
        """How queries are normalized in training."""
        # Running averages are made of query batches, so these normalize themselves in training.
        evaluates = (batch_statistics.RUNNING, batch_statistics.ONE_BY_ONE)
        return batch_statistics.TRANSDUCTIVE if self.statistics in evaluates else self.statistics

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
            run = self._run(acting, episode, prune, own_key, coupling)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(theta)
            with self._scope(theta):
                outcome = self._regularized_outcome(acting, run)
                penalty = sum(one.penalty(run) for one in acting if one.overrides("penalty"))
                objective, statistics = outcome.loss + penalty, run.statistics
        gradients = tape.gradient(objective, theta)
        return self._complete(gradients, theta, acting), outcome, statistics

    def _run(self, acting, episode, prune, own_key, coupling):
        """Sets a task up for training: drawn on by regularizers, not yet adapted."""
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
        return gradients[: len(self.weight_names)], before

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

    def couple(self, episodes, parallel_tasks):
        """Makes a first pass over a batch, for regularizers that couple its tasks.

        Args:
            episodes: `Episode` with a leading task axis.
            parallel_tasks: how many tasks may be computed side by side.

        Returns:
            A dictionary from the numbers of these regularizers to float32 tensors `[tasks]`.
        """
        coupling = self._overriding("couple")
        if not coupling:
            return {}

        def summarize(episode):
            run = self._first_run(episode)
            return {name: tf.cast(one.summary(run), tf.float32) for name, one in coupling.items()}

        summaries = tf.map_fn(
            summarize,
            episodes,
            fn_output_signature=dict.fromkeys(coupling, tf.float32),
            parallel_iterations=parallel_tasks,
        )
        return {
            name: replicas.coupled(one.couple, summaries[name]) for name, one in coupling.items()
        }

    def averages(self, episodes, parallel_tasks):
        """Makes a first pass over a batch, for regularizers that need a mean over its tasks.

        Args:
            episodes: `Episode` with a leading task axis.
            parallel_tasks: how many tasks may be computed side by side.

        Returns:
            A dictionary from the numbers of these regularizers to dictionaries of tensors, the
            means over the tasks of all replicas, held constant.

        Raises:
            ValueError: there is a single task.
        """
        averaging = self._overriding("averaged")
        if averaging and replicas.total(episodes.query_y.shape[0]) == 1:
            names = ", ".join(type(one).__name__ for one in averaging.values())
            raise ValueError(f"{names} needs at least two tasks in a step. Received: one.")

        def mean(one):
            def summarize(episode, carried):
                return tf.nest.flatten(one.averaged(self._first_run(episode))), {}, carried

            start = self.start()
            means, *_ = mean_over_tasks(
                summarize, (episodes,), tf.nest.flatten(start), (), parallel_tasks
            )
            means = [tf.stop_gradient(part) for part in replicas.mean(means)]
            return tf.nest.pack_sequence_as(start, means)

        return {name: mean(one) for name, one in averaging.items()}

    def _overriding(self, hook):
        return {str(n): one for n, one in enumerate(self.regularizers) if one.overrides(hook)}

    def _first_run(self, episode):
        # The run of the second pass, with the same draws: what is summed up is what is trained.
        return self._run(self.regularizers, episode, None, None, None)

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
