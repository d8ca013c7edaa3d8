"""ANIL: the head adapts, the body stays."""

import functools

import keras

from tfmgaug import batch_statistics
from tfmgaug.backbones.head import body_and_head
from tfmgaug.learners.maml import MAML
from tfmgaug.learners.variables import values


@keras.saving.register_keras_serializable("tfmgaug")
class ANIL(MAML):
    """Almost no inner loop: MAML that adapts the classifier alone.

    The body is computed once per task, so that inner steps cost next to nothing. It is
    meta-learned, through support and query embeddings alike.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        **kwargs: of `MAML`.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> ANIL(conv4(way=5, image_shape=(28, 28, 1)), inner_learning_rate=0.1)

    Reference:
        Raghu et al., 2020, https://arxiv.org/abs/1909.09157, Section 4.
    """

    def adapts(self, variable):
        return any(variable is own for own in self.classifier.trainable_variables)

    # Cached properties stay out of Keras's tracking: both models share the backbone's layers.
    @functools.cached_property
    def _body_and_head(self):
        return body_and_head(self.backbone)

    def adapt_state(
        self,
        state,
        support_x,
        support_y,
        steps=None,
        prune=None,
        statistics=None,
        noise=None,
        training=False,
    ):
        weights = self.weights_of(state)
        body, head = self._body_and_head
        features, new = self.forward(
            weights,
            support_x,
            prune,
            model=body,
            noise=noise and noise.at("support", labels=support_y),
            training=training,
        )

        task = self.task_state(support_y)

        def loss(adapting, step, features, *read):
            with self._scope(read):
                weights = self.weights_of(dict(zip(self._adapting, adapting)))
                outputs, _ = self.forward(
                    weights,
                    features,
                    prune,
                    model=head,
                    noise=noise and noise.at("support", step, labels=support_y),
                    training=training,
                )
                return self.support_loss(outputs, support_y, task)

        captured = [features, *values(self._variables)]
        adapted = self._descend(loss, state, steps, captured, noise)
        if (statistics or self.statistics) == batch_statistics.SUPPORT:
            adapted.update(zip(self.statistics_names, new))
        return {**adapted, **task}
