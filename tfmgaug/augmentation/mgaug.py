"""Meta-gradient augmentation (MGAug) by pruned sub-networks."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfmgaug.configured import Settled
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params, add
from tfmgaug.episode import Episode
from tfmgaug.masks.mask import Mask, Subnetwork, at_rate
from tfmgaug.randomness import choose, fold

_WeightTransform = Callable[[Params], Params]


@keras.saving.register_keras_serializable("tfmgaug")
class MGAug(Settled):
    """Adds the meta-gradients of pruned sub-networks to the full network's.

    `g <- g(theta) + sum_{u=1..U} g(m_u * theta)`. Each sub-network is pruned before its inner loop,
    keeps its mask through the inner steps and the outer pass, and is trained on the same task, so
    that pruned entries neither move nor receive a meta-gradient.

    Args:
        mask: a `Mask`: `WidthMask`, `ParameterMask` or `CatfishMask`.
        subnetworks: int >= 1, U, pruned sub-networks per task.
        start_step: int >= 0, the outer step from which on sub-networks take part.
        resolutions: list of ints >= 1, image sizes in pixels, one of which is drawn for each
            sub-network; the images of the task are resized to it (bilinear, corners aligned). None:
            as they are.

    Raises:
        TypeError: `mask` is not a Mask.
        ValueError: another argument is out of range.

    Example:
        >>> FOMAML(backbone, augmentation=MGAug(CatfishMask(), subnetworks=3))

    Reference:
        Wang et al., MGAug, Eq. 7. (The authors' code sums over tasks where Eq. 7 averages.)
    """

    def __init__(
        self,
        mask: Mask,
        subnetworks: int = 3,
        start_step: int = 0,
        resolutions: Sequence[int] | None = None,
    ) -> None:
        if not isinstance(mask, Mask):
            raise TypeError(f"`mask` must be a tfmgaug.masks.Mask. Received: {mask!r}.")
        if subnetworks < 1:
            raise ValueError(f"`subnetworks` must be at least 1. Received: {subnetworks}.")
        if start_step < 0:
            raise ValueError(f"`start_step` must not be negative. Received: {start_step}.")
        if resolutions is not None and (not resolutions or min(resolutions) < 1):
            raise ValueError(f"`resolutions` must be positive. Received: {resolutions}.")
        self._network: Network | None = None
        self.mask = mask
        self.subnetworks = subnetworks
        self.start_step = start_step
        self.resolutions = None if resolutions is None else list(resolutions)

    def attach(self, network: Network, classifier: keras.Layer | None = None) -> None:
        """Binds the mask to a network.

        Args:
            network: `Network`.
            classifier: the layer that is never pruned, or None.

        Raises:
            ValueError: the network can't be pruned or can't take other resolutions, or this
                augmentation belongs to another learner.
        """
        if self._network is not None and self._network.model is not network.model:
            raise ValueError(
                "An MGAug serves one learner: build another for the next. Received: one that was "
                f"attached to {self._network.model.name!r}."
            )
        self._network = network
        self.mask.attach(network, classifier)
        if self.resolutions is not None:
            check_resolutions(network.model, self.resolutions)

    def augment(
        self,
        gradients: Params,
        gradient_of: Callable[[Episode, _WeightTransform, tf.Tensor], tuple[Params, tf.Tensor]],
        weights: Params,
        scoring: Params | None,
        episode: Episode,
        step: tf.Tensor,
        task_key: tf.Tensor,
    ) -> tuple[Params, tf.Tensor]:
        """Adds the meta-gradients of a task's sub-networks to the full network's.

        Args:
            gradients: the full network's meta-gradient, by name.
            gradient_of: function of (episode, weight transform, key) to another such dictionary,
                and a scalar, the loss of the sub-network.
            weights: the network's weights, by name.
            scoring: gradients by the same names, for the mask's score, or None.
            episode: `Episode` of one task.
            step: int64 scalar, the outer step.
            task_key: stateless key, `[2]`, of this task at this step.

        Returns:
            The dictionary of sums, `gradients` itself before `start_step`; and a float32 scalar,
            the mean loss of the sub-networks, zero before `start_step`.
        """

        def add_subnetwork(number, total, losses):
            subnetwork = self._subnetwork(number, episode, fold(task_key, "subnetwork", number))
            prune = self._pruning(weights, scoring, subnetwork)
            rescaled = self._rescale(episode, subnetwork)
            added, loss = gradient_of(rescaled, prune, subnetwork.key)
            return number + 1, add(total, added), losses + tf.cast(loss, tf.float32)

        active = tf.where(step >= self.start_step, self.subnetworks, 0)
        # One body is traced for all sub-networks, and one at a time is in memory.
        _, total, losses = tf.while_loop(
            lambda number, *_: number < active,
            add_subnetwork,
            (tf.constant(0), dict(gradients), tf.constant(0.0)),
            parallel_iterations=1,
        )
        return total, losses / self.subnetworks

    def sparsity(self, weights: Params) -> Params:
        """Measures what the highest rate prunes.

        Args:
            weights: the network's weights, by name.

        Returns:
            Scalars by the names of the weights that can be pruned, the share of entries pruned.
        """
        # How many entries go depends on the rate alone, not on which gradients score them.
        masks = self.mask.drawn(weights, weights, at_rate(self.mask.rates[1]))
        return {name: 1 - tf.reduce_mean(mask) for name, mask in masks.items()}

    def draw(self, subnetwork: Subnetwork) -> tf.Tensor:
        """Draws the image size of a sub-network; override it to give your own.

        Args:
            subnetwork: `Subnetwork` that the images are for.

        Returns:
            An int32 scalar, one of `resolutions`.
        """
        return choose(self.resolutions, fold(subnetwork.key, "resolution"))

    def _subnetwork(self, number: tf.Tensor, episode: Episode, key: tf.Tensor) -> Subnetwork:
        return Subnetwork(number, episode.index, self.mask.rate(number, key), key)

    def _pruning(
        self, weights: Params, scoring: Params | None, subnetwork: Subnetwork
    ) -> _WeightTransform:
        masks = self.mask.drawn(weights, scoring, subnetwork)
        masks = tf.nest.map_structure(tf.stop_gradient, masks)
        return lambda params: self.mask(params, masks)

    def _rescale(self, episode: Episode, subnetwork: Subnetwork) -> Episode:
        if self.resolutions is None:
            return episode
        size = self.draw(subnetwork)
        return episode._replace(
            support_x=_resize(episode.support_x, size), query_x=_resize(episode.query_x, size)
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        return {
            "mask": keras.saving.serialize_keras_object(self.mask),
            "subnetworks": self.subnetworks,
            "start_step": self.start_step,
            "resolutions": self.resolutions,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the augmentation from `get_config`'s result."""
        mask = keras.saving.deserialize_keras_object(config["mask"])
        return cls(**{**config, "mask": mask})


def _resize(images: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    resized = tf.compat.v1.image.resize(
        tf.cast(images, tf.float32), [size, size], method="bilinear", align_corners=True
    )
    return tf.ensure_shape(resized, [images.shape[0], None, None, images.shape[-1]])


def check_resolutions(backbone: keras.Model, resolutions: Sequence[int]) -> None:
    """Refuses sizes of images that a backbone doesn't take.

    Args:
        backbone: `keras.Model`.
        resolutions: list of sides in pixels.

    Raises:
        ValueError: the backbone takes one size alone, or not one of these.
    """
    shape = backbone.inputs[0].shape
    if len(shape) != 4 or shape[1] is not None or shape[2] is not None:
        raise ValueError(
            "Lower resolutions need a backbone with inputs [batch, None, None, channels]: global "
            "pooling, or a head that crops in space such as `SpatialDense`. "
            f"Received: backbone {backbone.name!r} with inputs {tuple(shape)}."
        )
    for resolution in resolutions:
        try:
            output_shape = backbone.compute_output_shape((None, resolution, resolution, shape[-1]))
            if 0 in output_shape:
                raise ValueError("nothing is left of images that small.")
        except ValueError as error:
            raise ValueError(
                f"Backbone {backbone.name!r} does not take resolution {resolution}: {error}"
            ) from error
