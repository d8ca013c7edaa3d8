"""Tasks and networks for the analyses, small enough for numpy to follow."""

import numpy as np

from tests.helpers.toys import toy_classes
from tfmgaug.backbones import mlp
from tfmgaug.data import EpisodeSampler
from tfmgaug.learners import FOMAML

WAY = 3


def sampler(classes=6, seed=0, **options):
    """Tasks of images 4x4, three classes a task, one image each to adapt on, two to predict."""
    settings = {"way": WAY, "shot": 1, "query": 2, "tasks": 4, "seed": seed, **options}
    return EpisodeSampler(toy_classes(classes=classes, images=6, size=4), **settings)


def plain_mlp(hidden=(6,), dtype="float64", way=WAY):
    """`tanh(x W + b) V + c`, without normalization."""
    return mlp(way, (4, 4, 1), hidden, normalization=False, activation="tanh", dtype=dtype)


def learner(kind=FOMAML, **options):
    settings = {"inner_steps": 2, "inner_learning_rate": 0.5, **options}
    return kind(plain_mlp(), **settings)


class NumpyNetwork:
    """The same network and its gradient, written out."""

    def __init__(self, backbone):
        self.weights = [np.asarray(v, np.float64) for v in backbone.trainable_variables]

    def logits(self, x, weights):
        return self._hidden(x, weights) @ weights[2] + weights[3]

    def _hidden(self, x, weights):
        standardized = (x.reshape(len(x), -1) - 127.5) / 127.5
        return np.tanh(standardized @ weights[0] + weights[1])

    def loss(self, x, y, weights):
        logits = self.logits(x, weights)
        return np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(y)), y])

    def accuracy(self, x, y, weights):
        return np.mean(self.logits(x, weights).argmax(1) == y)

    def gradient(self, x, y, weights):
        hidden, logits = self._hidden(x, weights), self.logits(x, weights)
        errors = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        errors[np.arange(len(y)), y] -= 1
        errors /= len(y)
        inner = errors @ weights[2].T * (1 - hidden**2)
        standardized = (x.reshape(len(x), -1) - 127.5) / 127.5
        return [standardized.T @ inner, inner.sum(0), hidden.T @ errors, errors.sum(0)]

    def catfish_mask(self, episode, rate):
        """Zero where the first kernel's score is among the highest, by a stable sort."""
        scores = self.scores(episode).ravel()
        mask = np.ones(scores.size)
        mask[np.argsort(-scores, kind="stable")[: int(rate * scores.size)]] = 0
        return mask.reshape(self.weights[0].shape)

    def scores(self, episode):
        gradient = self.gradient(episode.query_x, episode.query_y, self.weights)[0]
        return np.abs(gradient * self.weights[0])

    def adapted(self, episode, mask, rate, steps):
        """Descends on the support loss with the first kernel masked, in every step."""
        weights = [w.copy() for w in self.weights]
        masked = [mask, 1, 1, 1]
        for _ in range(steps):
            pruned = [w * m for w, m in zip(weights, masked)]
            gradients = self.gradient(episode.support_x, episode.support_y, pruned)
            weights = [w - rate * g * m for w, g, m in zip(weights, gradients, masked)]
        return [w * m for w, m in zip(weights, masked)]


def by_hsic(x, y):
    """Linear CKA from Hilbert-Schmidt independence criteria, with the centering written out."""
    x, y = (features.reshape(len(features), -1) for features in (x, y))
    center = np.eye(len(x)) - 1 / len(x)

    def hsic(k, h):
        return np.trace(k @ center @ h @ center) / (len(x) - 1) ** 2

    k, h = x @ x.T, y @ y.T
    return hsic(k, h) / np.sqrt(hsic(k, k) * hsic(h, h))
