"""The network as a pure function of named parameters."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from tfmgaug import losses
from tfmgaug.backbones import preparation, stages
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params, by_name, name_of, read, select
from tfmgaug.engine.parts import parts_behind
from tfmgaug.layers.normalization import normalizing


class Network:
    """A Keras model as a function: parameters and inputs go in, outputs and statistics come out.

    Nothing is assigned. Within a `keras.StatelessScope`, `params` and `statistics` are the tensors
    that stand for the model's variables.

    Args:
        model: a functional `keras.Model`.
        transforms: functions from weights to weights that every forward pass goes through, such as
            a score mask; the context's own transform comes after them.
    """

    def __init__(
        self, model: keras.Model, transforms: Sequence[Callable[[Params], Params]] = ()
    ) -> None:
        self.model = model
        self.transforms = list(transforms)
        self.variables = by_name(model.trainable_variables)
        self._fixed = by_name(model.non_trainable_variables)
        self.statistics_variables = by_name(preparation.statistics_of(model))
        self._stages: list[keras.Model] = []
        self._divided: dict = {}

    @property
    def params(self) -> Params:
        """The weights as they are now."""
        return read(self.variables)

    @property
    def statistics(self) -> Params:
        """The statistics of normalization as they are now."""
        return read(self.statistics_variables)

    @property
    def stages(self) -> list[keras.Model]:
        """The model as a list of models that follow one another."""
        if not self._stages:
            self._stages = stages(self.model)
        return self._stages

    def weights_of(self, state: Params) -> Params:
        """Picks the network's weights out of a state, and leaves what else it holds."""
        return {name: tensor for name, tensor in state.items() if name in self.variables}

    def transformed(self, params: Params, context: Context) -> Params:
        """Prunes weights as every forward pass of a context does."""
        for transform in (*self.transforms, context.weight_transform):
            params = transform(params)
        return params

    def __call__(
        self,
        params: Params,
        x: tf.Tensor,
        context: Context,
        statistics: Params | None = None,
        model: keras.Model | None = None,
    ) -> tuple[tf.Tensor, Params]:
        """Calls the model: the only place where that happens.

        Args:
            params: the weights, by name.
            x: `[n, ...]`.
            context: how the network is run.
            statistics: statistics of batch normalization to normalize by, by name; None: those of
                `x` itself.
            model: a part of the model, made of its layers; None: the whole.

        Returns:
            Outputs `[n, ...]` in float32 or better, and statistics by name: those of `x` where it
            was normalized by them.
        """
        # Masks come last: a perturbation after them would revive what is pruned.
        params = self.transformed(context.perturbation.weights(params), context)
        fixed = {**read(self._fixed), **(statistics or {})}
        if model is None:
            model, x = self.model, self.as_input(x)
        for part, place in self._parts(model, context.perturbation.places):
            # Batch normalization has a channel of its own; other layers do as in training or not.
            with normalizing(by_batch=statistics is None):
                x, updated = part.stateless_call(
                    [params[name_of(variable)] for variable in part.trainable_variables],
                    [fixed[name_of(variable)] for variable in part.non_trainable_variables],
                    x,
                    training=context.training,
                )
            fixed.update(zip(map(name_of, part.non_trainable_variables), updated))
            if place is not None:
                x = context.perturbation.activations(x, place)
        return losses.at_least_float32(x), select(fixed, self.statistics_variables)

    def as_input(self, x: tf.Tensor) -> tf.Tensor:
        """Casts inputs to the model's type."""
        return tf.cast(x, self.model.inputs[0].dtype)

    def _parts(self, model, places):
        if not places:
            return [(model, None)]
        if (model, places) not in self._divided:
            self._divided[model, places] = parts_behind(model, places)
        return self._divided[model, places]
