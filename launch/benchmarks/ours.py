"""tfmgaug itself, set up as `launch.train` does."""

import functools

from launch import environment

environment.prepare()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import tfmgaug  # noqa: E402
from launch import devices  # noqa: E402
from tfmgaug import backbones, learners, masks  # noqa: E402


class Ours:
    """The learner of a workload, and one `tf.function` of its meta-gradients.

    Args:
        workload: `Workload`.
        problem: `Problem`.
        dtype: "float32" or "bfloat16".
    """

    def __init__(self, workload, problem, dtype):
        keras.config.set_dtype_policy("mixed_bfloat16" if dtype == "bfloat16" else "float32")
        self._workload, self._problem = workload, problem
        self._function = self._build(_catfish(workload))

    def step(self, fixed_masks=None):
        """Computes the meta-gradient, with `fixed_masks` in place of masks of its own."""
        if fixed_masks is None:
            return self._function(self._batch)
        subnetworks = np.shape(next(iter(fixed_masks.values())))[1]
        augmentation = tfmgaug.MGAug(_FixedMasks(fixed_masks), subnetworks=subnetworks)
        return self._build(augmentation)(self._batch)

    def measure(self, result):
        """Reads loss and norm from what `step` returned."""
        gradients, measures = result
        return {
            "loss": float(tf.reduce_mean(measures["loss"])),
            "gradient_norm": float(tf.linalg.global_norm(list(gradients.values()))),
        }

    @functools.cached_property
    def _batch(self):
        problem = self._problem
        names = ("support_x", "support_y", "query_x")
        inputs = {name: tf.constant(getattr(problem, name)) for name in names}
        inputs["index"] = tf.range(self._workload.tasks, dtype=tf.int64)
        return inputs, tf.constant(problem.query_y)

    def _build(self, augmentation):
        learner = _learner(self._workload, self._backbone(), augmentation)
        return tf.function(functools.partial(learner.meta_gradients, with_measures=True))

    def _backbone(self):
        workload = self._workload
        way = workload.way if workload.head else None
        if workload.hidden:
            backbone = backbones.mlp(way, workload.image_shape, workload.hidden)
        elif workload.blocks:
            backbone = backbones.resnet12(way, workload.image_shape, workload.blocks)
        else:
            backbone = backbones.conv4(way, workload.image_shape, workload.filters)
        for name, value in self._problem.weights.items():
            layer, weight = name.split("/")
            getattr(backbone.get_layer(layer), weight).assign(value)
        return backbone


def build(workload, problem, dtype):
    """Builds `Ours` in a process that has not computed anything yet."""
    devices.set_threads(0, workload.tasks)
    return Ours(workload, problem, dtype)


def _learner(workload, backbone, augmentation):
    common = {"augmentation": augmentation, "measure_before": False}
    if workload.learner == "protonet":
        return learners.ProtoNet(backbone, **common)
    method = learners.MAML if workload.second_order else learners.FOMAML
    return method(
        backbone,
        inner_steps=workload.inner_steps,
        inner_learning_rate=workload.inner_learning_rate,
        **common,
    )


def _catfish(workload):
    if not workload.rates:
        return None
    mask = _FixedRates(workload.rates, score=workload.score)
    return tfmgaug.MGAug(mask, subnetworks=len(workload.rates))


class _FixedRates(masks.CatfishMask):
    """Catfish pruning by the workload's rates, where `CatfishMask` draws most of them."""

    def __init__(self, fixed, **options):
        super().__init__(rates=(min(fixed), max(fixed)), **options)
        self._fixed = fixed

    def rate(self, subnetwork, key):
        return tf.gather(tf.constant(self._fixed, tf.float64), subnetwork)


class _FixedMasks(masks.Mask):
    """Prunes what it is told to, for each task and sub-network.

    Args:
        fixed_masks: arrays of zeros and ones `[tasks, sub-networks, ...]`, by the paths of weights.
    """

    def __init__(self, fixed_masks):
        super().__init__(rates=0.5)  # which is not read
        self._arrays = {
            path.replace("/", "_"): tf.constant(array) for path, array in fixed_masks.items()
        }

    def draw(self, weights, gradients, subnetwork):
        return {
            name: array[subnetwork.episode_index, tf.cast(subnetwork.number, tf.int64)]
            for name, array in self._arrays.items()
        }
