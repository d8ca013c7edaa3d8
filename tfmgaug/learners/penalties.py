"""Refusals of what a backbone's layers ask for beside their outputs: penalties and constraints."""

import keras
import tensorflow as tf

from tfmgaug.types import Learner


def check_converted(original: keras.Model, backbone: keras.Model) -> None:
    """Refuses what a conversion of layers has lost.

    Args:
        original: the user's `keras.Model`.
        backbone: it, or a copy of it with other layers.

    Raises:
        ValueError: a weight had a penalty or a constraint, and has none.
    """
    for before, after in zip(original.trainable_variables, backbone.trainable_variables):
        for kind in ("regularizer", "constraint"):
            if getattr(before, kind) is not None and getattr(after, kind) is None:
                raise ValueError(
                    f"The {kind} of {before.path!r} is lost where its layer is replaced by another "
                    "of the same name: use tfmgaug.layers.BatchNormalization and leave it away. "
                    f"Received: {getattr(before, kind)!r}."
                )


def check(learner: Learner) -> None:
    """Refuses what a backbone's layers ask for and the learner would not do.

    Args:
        learner: `MetaLearner`.

    Raises:
        ValueError: a layer has it; the error names the layer.
    """
    _refuse_losses_of_activations(learner.backbone)
    _refuse_masked_outputs(learner.backbone)
    learned = {id(variable) for variable in learner.meta_variables}
    kept = learner.weights_learned_elsewhere
    for variable in learner.backbone.trainable_variables:
        if any(variable is other for other in kept):
            continue
        _refuse_idle(learner, variable, id(variable) in learned)


def _refuse_idle(learner, variable, learned):
    name = type(learner).__name__
    if variable.regularizer is not None and not (learned and learner.has_outer_loss):
        raise ValueError(
            f"A weight penalty is a part of the outer loss over the weights, which {name} doesn't "
            "have: build the layer without its regularizer. (Weight decay is an argument of "
            f"optimizers.) Received: {variable.path!r} with {variable.regularizer!r}."
        )
    if variable.constraint is not None and not learned:
        raise ValueError(
            f"Constraints are applied by outer steps, and {name} learns something else than "
            f"{variable.path!r}: build the layer without. Received: {variable.constraint!r}."
        )


def _refuse_losses_of_activations(backbone):
    layers = list(backbone._flatten_layers(include_self=False))
    named = [layer for layer in layers if getattr(layer, "activity_regularizer", None) is not None]
    if not named and any(_is_foreign(layer) for layer in layers):
        named = _adding_losses(backbone, layers)
    if named:
        raise ValueError(
            "Losses of activations (`activity_regularizer`, `add_loss`) have no place in the outer "
            "loss: write a tfmgaug.regularizers.Regularizer with a `penalty` that reads "
            "`run.activations`, or build the layer without. Received: "
            f"{', '.join(f'{layer.name!r} ({type(layer).__name__})' for layer in named)}."
        )


def _adding_losses(backbone, layers):
    named = []

    def run(x):
        with keras.StatelessScope(collect_losses=True):
            backbone(x, training=True)
            named.extend(layer for layer in layers if layer._get_own_losses())

    x = backbone.inputs[0]
    tf.function(run, autograph=False).get_concrete_function(tf.TensorSpec(x.shape, x.dtype))
    return named


def _is_foreign(layer):
    return type(layer).__module__.split(".")[0] not in ("keras", "tfmgaug")


def _refuse_masked_outputs(backbone):
    if getattr(backbone.outputs[0], "_keras_mask", None) is not None:
        raise ValueError(
            "The backbone's outputs have a mask (Masking, Embedding(mask_zero=True)), by which "
            "Keras would leave examples out of the loss, and a learner does not: end the mask with "
            "a layer that pools over what is masked. "
            f"Received: {backbone.name!r}."
        )
