"""Meta-gradient augmentation: where masks meet the learner."""

import functools

import keras
import tensorflow as tf

from tfmgaug.configured import Settled
from tfmgaug.masks import Mask
from tfmgaug.randomness import choose, fold, key


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

    def __init__(self, mask, subnetworks=3, start_step=0, resolutions=None):
        if not isinstance(mask, Mask):
            raise TypeError(f"`mask` must be a tfmgaug.masks.Mask. Received: {mask!r}.")
        if subnetworks < 1:
            raise ValueError(f"`subnetworks` must be at least 1. Received: {subnetworks}.")
        if start_step < 0:
            raise ValueError(f"`start_step` must not be negative. Received: {start_step}.")
        if resolutions is not None and (not resolutions or min(resolutions) < 1):
            raise ValueError(f"`resolutions` must be positive. Received: {resolutions}.")
        self._backbone = None
        self.mask = mask
        self.subnetworks = subnetworks
        self.start_step = start_step
        self.resolutions = None if resolutions is None else list(resolutions)

    def attach(self, backbone, classifier=None):
        """Binds the mask to a backbone.

        Args:
            backbone: `keras.Model`.
            classifier: the layer that is never pruned, or None.

        Raises:
            ValueError: the backbone can't be pruned or can't take other resolutions, or this
                augmentation belongs to another learner.
        """
        if self._backbone is not None and self._backbone is not backbone:
            raise ValueError(
                "An MGAug serves one learner: build another for the next. Received: one that was "
                f"attached to {self._backbone.name!r}."
            )
        self._backbone = backbone
        self.mask.attach(backbone, classifier)
        if self.resolutions is not None:
            check_resolutions(backbone, self.resolutions)

    def augment(self, gradients, meta_gradient, weights, scoring, episode, step, task_key):
        """Adds the meta-gradients of a task's sub-networks to the full network's.

        Args:
            gradients: list, the full network's meta-gradient.
            meta_gradient: function of (episode, prune, key) to another such list.
            weights: list aligned with the backbone's trainable variables.
            scoring: gradients aligned with `weights`, for the mask's score, or None.
            episode: `Episode` of one task.
            step: int64 scalar, the outer step.
            task_key: stateless key, `[2]`, of this task at this step.

        Returns:
            The list of sums; `gradients` itself before `start_step`.
        """

        def add(number, total):
            own_key = fold(task_key, "subnetwork", number)
            prune = self._pruning(weights, scoring, number, own_key)
            own = meta_gradient(self._rescale(episode, own_key), prune, own_key)
            return number + 1, [a + b for a, b in zip(total, own)]

        active = tf.where(step >= self.start_step, self.subnetworks, 0)
        start = (tf.constant(0), list(gradients))
        # One body is traced for all sub-networks, and one at a time is in memory.
        return tf.while_loop(lambda n, _: n < active, add, start, parallel_iterations=1)[1]

    def sparsity(self, weights):
        """Measures what the highest rate prunes.

        Args:
            weights: list aligned with the backbone's trainable variables.

        Returns:
            A list of scalars, the share of entries pruned; None where nothing is ever pruned.
        """
        # How many entries go depends on the rate alone, not on which gradients score them.
        rate = tf.constant(self.mask.rates[1], tf.float64)
        masks = self.mask.draw(weights, weights, rate, key(0))
        return [None if mask is None else 1 - tf.reduce_mean(mask) for mask in masks]

    def _pruning(self, weights, scoring, number, own_key):
        rate = self.mask.rate(number, own_key)
        masks = self.mask.draw(weights, scoring, rate, own_key)
        masks = [None if mask is None else tf.stop_gradient(mask) for mask in masks]
        return functools.partial(self.mask, masks=masks)

    def _rescale(self, episode, own_key):
        if self.resolutions is None:
            return episode
        size = choose(self.resolutions, fold(own_key, "resolution"))
        return episode._replace(
            support_x=_resize(episode.support_x, size), query_x=_resize(episode.query_x, size)
        )

    def get_config(self):
        """Returns the constructor's arguments, serializable."""
        return {
            "mask": keras.saving.serialize_keras_object(self.mask),
            "subnetworks": self.subnetworks,
            "start_step": self.start_step,
            "resolutions": self.resolutions,
        }

    @classmethod
    def from_config(cls, config):
        """Builds the augmentation from `get_config`'s result."""
        mask = keras.saving.deserialize_keras_object(config["mask"])
        return cls(**{**config, "mask": mask})


def _resize(images, size):
    resized = tf.compat.v1.image.resize(
        tf.cast(images, tf.float32), [size, size], method="bilinear", align_corners=True
    )
    return tf.ensure_shape(resized, [images.shape[0], None, None, images.shape[-1]])


def check_resolutions(backbone, resolutions):
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
            found = backbone.compute_output_shape((None, resolution, resolution, shape[-1]))
            if 0 in found:
                raise ValueError("nothing is left of images that small.")
        except ValueError as error:
            raise ValueError(
                f"Backbone {backbone.name!r} does not take resolution {resolution}: {error}"
            ) from error
