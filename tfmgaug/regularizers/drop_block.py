"""DropBlock: dropout of blocks of neighboring features."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfmgaug.randomness import fold, uniform
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner


@keras.saving.register_keras_serializable("tfmgaug")
class DropBlock(Regularizer):
    """Sets square blocks of feature maps to zero, in every forward pass of training.

    `h <- m * h * size(m) / sum(m)` behind the first stages of the backbone, where m is zero on
    blocks of `b x b` neighbors. In every channel of every example, a block starts at each position
    where it has room with probability

    `gamma = rate / b^2 * h * w / ((h - b + 1) * (w - b + 1))`

    for maps of `h x w`. Blocks may overlap, so that a little less than the share `rate` goes.
    Blocks larger than a map are as large as the map.

    Args:
        rate: float in [0, 1), share of the features dropped.
        block_sizes: sides of blocks, one for each stage, from the first; 1 is dropout. The default
            is that of MetaOptNet's ResNet-12.
        ramp_steps: int >= 0, outer steps in which the rate of blocks larger than 1 rises from 0.
            The authors' code counts 40000 forward passes, of which an outer step makes two.
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        ValueError: an argument is out of range, or the learner's backbone has fewer stages that
            make feature maps.

    Example:
        >>> MetaOptNet(resnet12(way=None, global_pooling=False), regularizers=[DropBlock()])

    Reference:
        Ghiasi, Lin, Le, 2018, https://arxiv.org/abs/1810.12890, Algorithm 1.
        Lee et al., 2019, https://arxiv.org/abs/1904.03758, Section 4.1.
    """

    places: tuple[str, ...] = ()  # the layers behind which it acts, once attached

    def __init__(
        self,
        rate: float = 0.1,
        block_sizes: Sequence[int] = (1, 1, 5, 5),
        ramp_steps: int = 20_000,
        subnetworks: bool = False,
    ) -> None:
        super().__init__(subnetworks)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be from 0 to below 1. Received: rate={rate}.")
        if not block_sizes or min(block_sizes) < 1:
            raise ValueError(f"`block_sizes` must be at least 1. Received: {block_sizes!r}.")
        if ramp_steps < 0:
            raise ValueError(f"`ramp_steps` must not be negative. Received: {ramp_steps}.")
        self.rate = rate
        self.block_sizes = list(block_sizes)
        self.ramp_steps = ramp_steps

    def attach(self, learner: Learner) -> None:
        maps = [stage.name for stage in learner.network.stages if len(stage.output_shape) == 4]
        if len(maps) < len(self.block_sizes):
            raise ValueError(
                "`block_sizes` must be at most one for each stage that makes feature maps. "
                f"Received: {len(self.block_sizes)} for backbone {learner.backbone.name!r}, which "
                f"has {len(maps)}."
            )
        # At rate 0 the network stays whole, and gives the same bits.
        self.places = tuple(maps[: len(self.block_sizes)]) if self.rate else ()

    def activations(self, x: tf.Tensor, place: str, key: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        size = self.block_sizes[self.places.index(place)]
        mask = self.draw(tf.shape(x), size, self._rate(size, step), fold(key, place))
        kept = tf.maximum(tf.reduce_sum(mask), 1.0)
        return x * tf.cast(mask * (tf.cast(tf.size(mask), tf.float32) / kept), x.dtype)

    def draw(self, shape: tf.Tensor, size: int, rate: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Draws what is kept of feature maps; override it to give your own.

        Args:
            shape: int32 tensor `[4]`: examples, height, width, channels.
            size: int >= 1, side of a block.
            rate: float32 scalar, at this outer step.
            key: stateless key, `[2]`, of this place in this forward pass.

        Returns:
            A float32 tensor of this shape, 0 on blocks and 1 elsewhere.
        """
        return blocks(shape, size, rate, key)

    def _rate(self, size: int, step: tf.Tensor) -> tf.Tensor:
        if size == 1 or not self.ramp_steps:
            return tf.constant(self.rate)
        return self.rate * tf.minimum(tf.cast(step, tf.float32) / self.ramp_steps, 1.0)


def blocks(shape: tf.Tensor, size: int, rate: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Draws what is kept of feature maps.

    Args:
        shape: int32 tensor `[4]`: examples, height, width, channels.
        size: int >= 1, side of a block.
        rate: float32 scalar.
        key: stateless key, `[2]`.

    Returns:
        A float32 tensor of this shape, 0 on blocks and 1 elsewhere.
    """
    examples, height, width, channels = tf.unstack(shape)
    # Where a block has no room, the only one covers all.
    rows, columns = tf.maximum(height - size + 1, 1), tf.maximum(width - size + 1, 1)
    area = tf.minimum(size, height) * tf.minimum(size, width)
    share = tf.cast(height * width, tf.float32) / tf.cast(area * rows * columns, tf.float32)
    starts = uniform([examples, rows, columns, channels], key) < rate * share
    margin = [size - 1, size - 1]
    starts = tf.pad(tf.cast(starts, tf.float32), [[0, 0], margin, margin, [0, 0]])
    covered = tf.nn.max_pool2d(starts, size, 1, "VALID")
    return 1 - covered[:, :height, :width]
