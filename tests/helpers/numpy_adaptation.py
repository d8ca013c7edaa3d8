"""The measurements of analyses for one task, computed without calling a learner."""

import numpy as np
import tensorflow as tf

from tfmgaug.engine.context import Context
from tfmgaug.engine.params import name_of
from tfmgaug.heads import RidgeHead, interior_point
from tfmgaug.learners import ANIL, BOIL, CAVIA, MetaTicket, MetaTicketBOIL, ProtoNet, Reptile


class ByHand:
    """A learner's network and how it adapts, from its settings and variables alone.

    Args:
        learner: whose backbone has layers called "head" and "context", if it has them.
        rates: inner learning rates by the name of a layer; one for all others under "".
    """

    def __init__(self, learner, rates):
        self.learner, self.backbone = learner, learner.backbone
        variables = learner.backbone.trainable_variables
        self.weights = {v.path: tf.convert_to_tensor(v) for v in variables}
        self.rates = {p: rates.get(p.split("/")[0], rates[""]) for p in self.weights}
        self.kept = {}
        if isinstance(learner, MetaTicket):
            mask, paths = learner.score_mask, {name_of(v): v.path for v in variables}
            for name, score in mask.scores.items():
                self.kept[paths[name]] = score.numpy() >= mask.thresholds[name].numpy()
        self.steps = learner.evaluation_steps

    def start(self, episode):
        """The weights that a task starts from, by path; its own head as it was drawn."""
        if getattr(self.learner, "task_head", "shared") == "shared":
            return self.weights
        context = Context().starting_from(episode.support_x, episode.support_y)
        state, paths = self.learner.initial_state(context), {}
        for variable in self.learner.classifier.trainable_variables:
            paths[variable.path] = state[name_of(variable)]
        return {**self.weights, **paths}

    def adapts(self, path):
        layer = path.split("/")[0]
        if isinstance(self.learner, ANIL):
            return layer == "head"
        if isinstance(self.learner, CAVIA):
            return layer == "context"
        return layer != "head" or not isinstance(self.learner, (BOIL, MetaTicketBOIL))

    def outputs(self, weights, x, model=None):
        """What the backbone, or a part of it, makes of examples, masked as tickets are."""
        model = self.backbone if model is None else model
        values = [weights[v.path] for v in model.trainable_variables]
        kept = [tf.cast(self.kept.get(v.path, 1), v.dtype) for v in model.trainable_variables]
        x = tf.cast(x, self.backbone.compute_dtype)
        return model.stateless_call([w * k for w, k in zip(values, kept)], [], x, training=True)[0]

    def logits(self, weights, episode, mask, features=None, rest=None):
        """Logits of the queries, or of what a part of the network has made of them."""
        weights = self.masked(weights, mask)
        if rest is None:
            outputs = self.outputs(weights, episode.query_x)
        else:
            outputs = self.outputs(weights, features, rest)
        if self.learner.inner_steps:
            return outputs
        support = self.outputs(weights, episode.support_x)
        return closed_form(self.learner, support, episode.support_y, outputs)

    def masked(self, weights, mask):
        return {p: w * tf.cast(mask.get(p, 1), w.dtype) for p, w in weights.items()}

    def query_loss(self, weights, episode, mask=()):
        return cross_entropy(self.logits(weights, episode, dict(mask)), episode.query_y)

    def support_loss(self, weights, episode, mask=()):
        outputs = self.outputs(self.masked(weights, dict(mask)), episode.support_x)
        return cross_entropy(outputs, episode.support_y)

    def gradient(self, loss, weights, *arguments):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(weights, *arguments)
        return tape.gradient(value, weights)

    def adapted(self, weights, episode, steps=1, mask=()):
        for _ in range(steps):
            slopes = self.gradient(self.support_loss, weights, episode, mask)
            weights = {
                p: w - self.rates[p] * slopes[p] if self.adapts(p) else w
                for p, w in weights.items()
            }
        return weights

    def scores(self, episode, layer="conv/kernel"):
        """MMCA of a layer; Reptile's is of its first inner batch."""
        loss = self.support_loss if isinstance(self.learner, Reptile) else self.query_loss
        weights = self.start(episode)
        return np.abs(self.gradient(loss, weights, episode)[layer] * weights[layer])

    def catfish(self, episode, rate, layer="conv/kernel"):
        """The mask without the highest scores of a layer, ties by index."""
        scores = self.scores(episode)
        mask = np.ones(scores.size)
        mask[np.argsort(-scores.ravel(), kind="stable")[: int(rate * scores.size)]] = 0
        return {layer: mask.reshape(scores.shape)}

    def losses(self, episode, steps, mask=()):
        """Query losses before adaptation and after each step."""
        weights = self.start(episode)
        losses = [self.query_loss(weights, episode, mask)]
        for _ in range(steps):
            weights = self.adapted(weights, episode, 1, mask)
            losses.append(self.query_loss(weights, episode, mask))
        return np.array(losses)


def closed_form(learner, support, labels, query):
    """Logits of embedded queries."""
    hot = tf.one_hot(labels, 3, dtype=support.dtype)
    if isinstance(learner, ProtoNet):
        means = tf.matmul(hot, support, transpose_a=True) / tf.reduce_sum(hot, 0)[:, None]
        if learner.distance == "euclidean":
            return -tf.reduce_sum((query[:, None] - means) ** 2, -1)
        query, means = (x / tf.norm(x, axis=1, keepdims=True) for x in (query, means))
        return learner.scale * tf.matmul(query, means, transpose_b=True)
    if isinstance(learner.head, RidgeHead):
        normal = tf.matmul(support, support, transpose_a=True)
        normal += learner.head.regularization * tf.eye(support.shape[1], dtype=support.dtype)
        weights = tf.linalg.solve(normal, tf.matmul(support, hot, transpose_a=True))
    else:
        wide = tf.cast(support, tf.float64)
        kernel = tf.matmul(wide, wide, transpose_b=True) + tf.eye(len(labels), dtype=tf.float64)
        solution = interior_point.solve(kernel, tf.cast(tf.transpose(hot), tf.float64), 0.1)
        weights = tf.cast(tf.transpose(tf.matmul(solution, wide)), support.dtype)
    return tf.matmul(query, weights)


def cross_entropy(logits, labels):
    picked = tf.gather(logits, labels, batch_dims=1)
    return tf.reduce_mean(tf.reduce_logsumexp(logits, -1) - picked)
