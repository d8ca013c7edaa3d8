"""The network as a pure function of named parameters."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from tfmgaug import losses
from tfmgaug.backbones import stages
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params, by_name, name_of, read
from tfmgaug.engine.parts import parts_behind


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
        self._statistics = by_name(model.non_trainable_variables)
        self._stages: list[keras.Model] = []
        self._divided: dict = {}

    @property
    def params(self) -> Params:
        """The weights as they are now."""
        return read(self.variables)

    @property
    def statistics(self) -> Params:
        """The statistics of normalization as they are now."""
        return read(self._statistics)

    @property
    def stages(self) -> list[keras.Model]:
        """The model as a list of models that follow one another."""
        if not self._stages:
            self._stages = stages(self.model)
        return self._stages

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
            statistics: statistics to normalize by, by name; None: those of `x` itself.
            model: a part of the model, made of its layers; None: the whole.

        Returns:
            Outputs `[n, ...]` in float32 or better, and the statistics of `x`, or those given.
        """
        # Masks come last: a perturbation after them would revive what is pruned.
        params = self.transformed(context.perturbation.weights(params), context)
        normalizes = self.statistics if statistics is None else statistics
        if model is None:
            model, x = self.model, self.as_input(x)
        new = {}
        for part, place in self._parts(model, context.perturbation.places):
            x, updated = part.stateless_call(
                [params[name_of(variable)] for variable in part.trainable_variables],
                [normalizes[name_of(variable)] for variable in part.non_trainable_variables],
                x,
                training=statistics is None,
            )
            new.update(zip(map(name_of, part.non_trainable_variables), updated))
            if place is not None:
                x = context.perturbation.activations(x, place)
        return losses.at_least_float32(x), new

    def as_input(self, x: tf.Tensor) -> tf.Tensor:
        """Casts inputs to the model's type."""
        return tf.cast(x, self.model.inputs[0].dtype)

    def _parts(self, model, places):
        if not places:
            return [(model, None)]
        if (model, places) not in self._divided:
            self._divided[model, places] = parts_behind(model, places)
        return self._divided[model, places]
