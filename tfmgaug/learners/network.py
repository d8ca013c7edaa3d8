"""The network of a learner as a function of its weights, before and after adaptation."""

import functools

import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.backbones import preparation, stages
from tfmgaug.layers.normalization import normalizing
from tfmgaug.learners.learning_rule import LearningRule
from tfmgaug.learners.parts import parts_behind
from tfmgaug.learners.variables import values


class Network(LearningRule):
    """How a learner calls its backbone: tensors in, tensors out."""

    # Cached properties stay out of Keras's tracking: all models share the backbone's layers.
    @functools.cached_property
    def stages(self):
        """The backbone as a list of models that follow one another."""
        return stages(self.backbone)

    @functools.cached_property
    def statistics_variables(self):
        """The backbone's variables that hold statistics of batch normalization."""
        return preparation.statistics_of(self.backbone)

    def forward(
        self, weights, x, prune=None, statistics=None, model=None, noise=None, training=False
    ):
        """Calls the backbone with given weights: the only place where that happens.

        Args:
            weights: list aligned with the backbone's trainable variables.
            x: `[n, ...]`.
            prune: function from weights to weights, or None.
            statistics: list aligned with `statistics_variables`, to normalize by; None: those of
                `x`.
            model: a part of the backbone, made of its layers; None: the whole.
            noise: `Noise` of this pass, or None.
            training: whether layers are called as in training. Batch normalization does not depend
                on it.

        Returns:
            Outputs `[n, outputs]` in float32 or better, and a list like `statistics`: where `x` was
            normalized by its own, these.
        """
        if noise is not None:
            weights = noise.weights(weights)
        weights = self.pruned(weights, prune)  # last: noise would revive what is pruned
        if model is None:
            model, x = self.backbone, tf.cast(x, self.backbone.inputs[0].dtype)
        fixed = self.backbone.non_trainable_variables
        tensors = _by_variable(fixed, values(fixed))
        tensors.update(_by_variable(self.backbone.trainable_variables, weights))
        if statistics is not None:
            tensors.update(_by_variable(self.statistics_variables, statistics))
        for part, place in self._parts(model, () if noise is None else noise.places):
            with normalizing(by_batch=statistics is None):
                x, state = part.stateless_call(
                    [tensors[id(variable)] for variable in part.trainable_variables],
                    [tensors[id(variable)] for variable in part.non_trainable_variables],
                    x,
                    training=training,
                )
            tensors.update(_by_variable(part.non_trainable_variables, state))
            if place is not None:
                x = noise.activations(x, place)
        new = [tensors[id(variable)] for variable in self.statistics_variables]
        return losses.at_least_float32(x), new

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

    def forward_adapted(self, state, x, prune, mode, noise=None, model=None, training=False):
        """Calls the backbone, or a part of it, with an adapted state, as it is called on queries.

        Args:
            state: from `adapt_state`, with the same mode.
            x: `[n, ...]`.
            prune: as in `adapt_state`.
            mode: which statistics normalize `x`.
            noise: `Noise` of this pass, or None.
            model: as in `forward`.
            training: as in `forward`.

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
        statistics = None
        if mode == batch_statistics.SUPPORT:
            statistics = [state[name] for name in self.statistics_names]
        if mode == batch_statistics.RUNNING:
            statistics = values(self.statistics_variables)
        return self.forward(self.weights_of(state), x, prune, statistics, model, noise, training)

    def _forward_one_by_one(self, state, x, prune):
        weights, dtype = self.weights_of(state), self.backbone.inputs[0].dtype
        support = tf.cast(state["support_x"], dtype)

        def predict(one):
            both = tf.concat([support, one[tf.newaxis]], axis=0)
            return self.forward(weights, both, prune)[0][-1]

        # Layers may compute in float64 from inputs in float32.
        like = losses.at_least_float32(tf.zeros([], self.backbone.output.dtype))
        outputs = tf.map_fn(
            predict,
            tf.cast(x, dtype),
            fn_output_signature=like.dtype,
            parallel_iterations=self.parallel_tasks,
        )
        # Each query has statistics of its own: there are none to hand on.
        return outputs, values(self.statistics_variables)


def _by_variable(variables, tensors):
    return {id(variable): tensor for variable, tensor in zip(variables, tensors)}
