"""The report of what networks look at."""

import dataclasses

import numpy as np
import tensorflow as tf

from tfmgaug.analysis.subnetwork_report import Network


@dataclasses.dataclass(frozen=True, eq=False)
class Attention:
    """Grad-CAM maps of some queries of one task, for a network and its sub-networks.

    Attributes:
        name: what was analyzed, e.g. `"FOMAML"`.
        stage: name of the stage whose feature maps were weighted.
        networks: the networks; the first is the full one.
        mask: class of the mask that pruned.
        statistics: the batch-normalization mode of the queries.
        images: `[queries, height, width, channels]`, raw.
        labels: their labels, `[queries]`.
        targets: the classes explained, `[networks, queries]`.
        probabilities: `[networks, queries, way]`.
        maps: the maps at the stage's resolution, not negative, `[networks, queries, h, w]`, in
            units of the logit.
    """

    name: str
    stage: str
    networks: tuple[Network, ...]
    mask: str
    statistics: str
    images: np.ndarray
    labels: np.ndarray
    targets: np.ndarray
    probabilities: np.ndarray
    maps: np.ndarray

    def heat(self) -> np.ndarray:
        """The maps at the size of the images (bilinear), each divided by its highest value.

        Returns:
            `[networks, queries, height, width]` in 0-1; zero where a map is zero everywhere.
        """
        flat = self.maps.reshape(-1, *self.maps.shape[2:], 1)
        # Outside any gradient, where resizing is harmless.
        large = tf.image.resize(flat, self.images.shape[1:3], "bilinear").numpy()[..., 0]
        highest = large.max(axis=(1, 2), keepdims=True)
        large = np.where(highest > 0, large / np.where(highest > 0, highest, 1), 0)
        return large.reshape(*self.maps.shape[:2], *self.images.shape[1:3])

    def to_json(self) -> dict:
        """The maps as a dictionary that `json.dumps` takes."""
        return {
            "name": self.name,
            "stage": self.stage,
            "mask": self.mask,
            "statistics": self.statistics,
            "labels": self.labels.tolist(),
            "networks": [
                {
                    **network._asdict(),
                    "targets": targets.tolist(),
                    "probabilities": probabilities.tolist(),
                    "maps": maps.tolist(),
                }
                for network, targets, probabilities, maps in zip(
                    self.networks, self.targets, self.probabilities, self.maps
                )
            ],
        }
