"""The network of a learner as a function of its weights, before and after adaptation."""

import functools

import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.backbones import stages
from tfmgaug.learners.learning_rule import LearningRule
from tfmgaug.learners.parts import parts_behind
from tfmgaug.learners.variables import aligned, values


class Network(LearningRule):
    """How a learner calls its backbone: tensors in, tensors out."""

    # Cached properties stay out of Keras's tracking: all models share the backbone's layers.
    @functools.cached_property
    def stages(self):
        """The backbone as a list of models that follow one another."""
        return stages(self.backbone)

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
