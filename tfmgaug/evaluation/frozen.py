"""Frozen episodes, the same ones for every learner, and their fingerprint."""

import hashlib
from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.types import ArrayLike


def as_sampler(classes: Any, way: int, shot: int, query: int, tasks: int, seed: int) -> Any:
    """Returns `classes` if it is a sampler already, else an `EpisodeSampler` over it."""
    if hasattr(classes, "dataset"):
        return classes
    return EpisodeSampler(classes, way=way, shot=shot, query=query, tasks=tasks, seed=seed)


def frozen_dataset(sampler: Any, episodes: int) -> tf.data.Dataset:
    """The first `episodes` episodes of a sampler, in batches of tasks.

    Raises:
        ValueError: if `episodes` is less than 2.
    """
    if episodes < 2:
        raise ValueError(
            "`episodes` must be at least 2: one episode has no interval. "
            f"Received: episodes={episodes}."
        )
    return sampler.dataset(start=0, episodes=episodes)


def settings(sampler: Any) -> dict:
    """The fields of a report that name the source of its episodes."""
    classes = getattr(sampler, "classes", None)
    return {
        "dataset": getattr(classes, "name", None) or type(sampler).__name__,
        **{key: getattr(sampler, key, None) for key in ("way", "shot", "query", "seed")},
    }


class Fingerprint:
    """A digest of episodes' contents that does not depend on how they are batched."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=8)

    def update(self, inputs: dict, query_y: ArrayLike) -> None:
        """Adds a batch of episodes with a leading task axis."""
        parts = [inputs[key] for key in ("support_x", "support_y", "query_x")] + [query_y]
        arrays = [np.ascontiguousarray(part) for part in parts]
        for task in range(len(arrays[0])):
            for array in arrays:
                self._digest.update(f"{array.dtype}{array.shape[1:]}".encode())
                self._digest.update(array[task])

    def __str__(self) -> str:
        return self._digest.hexdigest()
