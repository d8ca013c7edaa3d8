"""Every analysis of every learner: right, or refused with the reason.

A learner joins by a row of `LEARNERS`, an analysis by a row of `ANALYSES`: how it is measured, the
same by hand, and which learners it refuses, with what it says.
"""

import copy
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from launch.analyses import bound, capacity
from launch.analyses.runs import Run
from tests.helpers.numpy_adaptation import ByHand
from tests.helpers.numpy_network import by_hsic, sampler
from tfmgaug import analysis, masks
from tfmgaug.analysis.initialization import random_weights
from tfmgaug.backbones import mlp
from tfmgaug.engine.inner_optimizers import SGD
from tfmgaug.engine.params import name_of
from tfmgaug.heads import RidgeHead, SVMHead
from tfmgaug.layers import Context
from tfmgaug.learners import (
    ANIL,
    BOIL,
    CAVIA,
    FOMAML,
    MAML,
    FineTuning,
    MetaOptNet,
    MetaTicket,
    MetaTicketBOIL,
    ProtoNet,
    Reptile,
)
from tfmgaug.regularizers import MRWeights

RATE, STEPS, PRUNED = 0.5, 2, 0.3
SILENT = 1e-12  # noise that changes nothing: the regularizer's variables are what matters here
TASKS = sampler(shot=2)
EPISODES = [TASKS.episode(number) for number in range(3)]


def conv(way=3, context=None, dtype="float64"):
    """Feature maps of 3 x 3 positions, smooth, then a head or none."""
    inputs = keras.Input((4, 4, 1))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, dtype=dtype, name="scaled")(inputs)
    x = keras.layers.Conv2D(2, 2, activation="tanh", dtype=dtype, name="conv")(x)
    x = keras.layers.Flatten(dtype=dtype, name="flat")(x)
    if context is not None:
        phi = Context(context, dtype=dtype, name="context")(x)
        x = keras.layers.Concatenate(dtype=dtype, name="joined")([x, phi])
    if way is not None:
        x = keras.layers.Dense(way, dtype=dtype, name="head")(x)
    return keras.Model(inputs, x)


def pixels(way=3, context=None, dtype="float64"):
    """A first layer on all pixels."""
    return mlp(way, (4, 4, 1), (6,), normalization=False, context=context, dtype=dtype)


def descending(kind, context=None, **options):
    def build(backbone, dtype):
        settings = {"inner_steps": STEPS, "inner_learning_rate": RATE, **options}
        return kind(backbone(context=context, dtype=dtype), **settings)

    return build


def ticket(kind):
    def build(backbone, dtype):
        return descending(kind, score_mask=masks.ScoreMask(0.3))(backbone, dtype)

    return build


def embedding(kind, **options):
    return lambda backbone, dtype: kind(backbone(way=None, dtype=dtype), **options)


LEARNERS = {
    "FOMAML": descending(FOMAML),
    "MAML, learned rates": descending(
        MAML, learn_inner_rates="layer", inner_learning_rate=[RATE, 0.2]
    ),
    "MAML, MR": lambda *on: descending(MAML, regularizers=[MRWeights(0.0, SILENT)])(*on),
    "ANIL": descending(ANIL),
    "BOIL": descending(BOIL),
    "Reptile": descending(Reptile, inner_optimizer=SGD(), evaluation_steps=STEPS + 1),
    "CAVIA": descending(CAVIA, context=2),
    "ProtoNet": embedding(ProtoNet),
    "ProtoNet, cosine": embedding(ProtoNet, distance="cosine"),
    "MetaOptNet, ridge": embedding(MetaOptNet, head=RidgeHead(2.0)),
    "MetaOptNet, svm": embedding(MetaOptNet, head=SVMHead()),
    "MetaTicket": ticket(MetaTicket),
    "MetaTicketBOIL": ticket(MetaTicketBOIL),
    "FineTuning": descending(FineTuning, classes=7),
    "FineTuning, shared": descending(FineTuning, classes=7, task_head="shared"),
}
RATES = {"MAML, learned rates": {"": RATE, "head": 0.2}}
WITHOUT_STEPS = ("ProtoNet", "ProtoNet, cosine", "MetaOptNet, ridge", "MetaOptNet, svm")
TICKETS = ("MetaTicket", "MetaTicketBOIL")
FINE_TUNING = ("FineTuning", "FineTuning, shared")


def build(name, backbone, dtype):
    learner, draws = LEARNERS[name](backbone, dtype), np.random.default_rng(0)
    for variable in learner.meta_variables:
        if len(variable.shape):  # rates and scales stay
            variable.assign(variable + 0.3 * draws.normal(size=variable.shape))
    return learner


class Row(NamedTuple):
    """An analysis.

    Attributes:
        measured: function from a learner to numbers.
        by_hand: function from a `ByHand` to what they must be.
        refused: what it says of learners that it refuses, by their names in `LEARNERS`.
        backbone: what learners are built on.
        dtype: of the backbone.
    """

    measured: Callable[[Any], Any]
    by_hand: Callable[[ByHand], Any]
    refused: dict = {}
    backbone: Callable = conv
    dtype: str = "float64"


def refused(names, message):
    return dict.fromkeys(names, message)


# Networks and sub-networks.


def losses_by_hand(hand, steps=None):
    steps = hand.steps if steps is None else steps
    return np.array(
        [[hand.losses(e, steps), hand.losses(e, steps, hand.catfish(e, PRUNED))] for e in EPISODES]
    )


def fine_tuning_by_hand(hand):
    known = losses_by_hand(hand, steps=3)
    nothing = [untrained(hand, number % 2).losses(e, 3) for number, e in enumerate(EPISODES)]
    return np.concatenate([known, np.array(nothing)[:, None]], axis=1)


def untrained(hand, number):
    fresh, seed = copy.copy(hand), (4, number)
    if hand.kept:
        seed = int(np.random.default_rng(seed).integers(2**31))
        build = descending(type(hand.learner), score_mask=masks.ScoreMask(0.3), seed=seed)
        return ByHand(build(conv, "float64"), {"": RATE})
    drawn, weights = random_weights(hand.backbone, seed), hand.backbone.trainable_variables
    fresh.weights = {v.path: tf.constant(drawn[name_of(v)]) for v in weights}
    return fresh


def importance(learner, score="query_loss"):
    found = analysis.importance(learner, TASKS, PRUNED, score, episodes=3)
    return found.totals[:, 0]


def importance_by_hand(hand, gradient=None):
    rows = []
    for episode in EPISODES:
        scores = np.sort((gradient or hand.scores)(episode).ravel())[::-1]
        pruned = int(PRUNED * scores.size)
        parts = np.split(scores, [pruned, scores.size - pruned])
        rows.append([part.sum() for part in parts])
    return np.array(rows)


def meta_scores_by_hand(hand):
    """By the slope of the query loss after adaptation, differentiated through its steps."""

    def after(weights, episode):
        second_order = hand.learner.second_order
        start = weights if second_order else hand.weights
        moved = hand.adapted(start, episode, steps_of(hand))
        if not second_order:  # what adaptation adds is held constant
            moved = {p: w + tf.stop_gradient(moved[p] - start[p]) for p, w in weights.items()}
        return hand.query_loss(moved, episode)

    def scores(episode):
        slopes = hand.gradient(after, hand.weights, episode)
        return np.abs(slopes["conv/kernel"] * hand.weights["conv/kernel"])

    return importance_by_hand(hand, scores)


def steps_of(hand):
    return hand.steps if hand.learner.inner_steps else 0


def attention_by_hand(hand):
    episode, model = EPISODES[0], hand.backbone
    features = model.get_layer("conv").output
    body, rest = keras.Model(model.inputs, features), keras.Model(features, model.outputs)
    queries = [int(np.argmax(episode.query_y == label)) for label in range(3)]
    maps = []
    for rate in (0.0, PRUNED):
        mask = hand.catfish(episode, rate)
        weights = hand.adapted(hand.start(episode), episode, steps_of(hand), mask)
        seen = hand.outputs(hand.masked(weights, mask), episode.query_x, body)
        for query in queries:
            with tf.GradientTape() as tape:
                tape.watch(seen)
                logits = hand.logits(weights, episode, mask, seen, rest)
                logit = logits[query, int(episode.query_y[query])]
            importance = tape.gradient(logit, seen)[query].numpy().mean((0, 1))
            maps.append(np.maximum((importance * seen[query].numpy()).sum(-1), 0))
    return np.reshape(maps, (2, len(queries), 3, 3))


# Inner loops.


def support_gradients(hand):
    return [hand.gradient(hand.support_loss, hand.start(e), e) for e in EPISODES]


def adapting(hand, found):
    return np.concatenate([np.ravel(found[p]) for p in hand.weights if hand.adapts(p)])


def mean_over_pairs(vectors):
    products = np.array(vectors) @ np.array(vectors).T
    return (products.sum() - np.trace(products)) / (len(vectors) * (len(vectors) - 1))


def landscape(learner):
    found = analysis.landscape(learner, TASKS, tasks=3, tolerance=1e-6)
    properties = ("support_loss", "query_loss", "trajectory_norm")
    pairwise = ("trajectory_coherence", "gradient_coherence", "gradient_cosine")
    return [
        *(found.values[name][0] for name in (*properties, "curvature")),
        *(found.summary(name).mean for name in pairwise),
    ]


def landscape_by_hand(hand):
    starts = [hand.start(episode) for episode in EPISODES]
    moved = [hand.adapted(start, e, hand.steps) for start, e in zip(starts, EPISODES)]
    trajectories = [adapting(hand, m) - adapting(hand, start) for m, start in zip(moved, starts)]
    slopes = [adapting(hand, g) for g in support_gradients(hand)]
    units = [[v / np.linalg.norm(v) for v in vectors] for vectors in (trajectories, slopes)]
    return [
        hand.support_loss(moved[0], EPISODES[0]),
        hand.query_loss(moved[0], EPISODES[0]),
        np.linalg.norm(trajectories[0]),
        np.abs(np.linalg.eigvalsh(hessian(hand, moved[0]))).max(),
        mean_over_pairs(units[0]),
        mean_over_pairs(slopes),
        mean_over_pairs(units[1]),
    ]


def hessian(hand, weights, move=1e-5):
    """Of the support loss in the weights that adapt, by differences of its slopes."""
    paths = [path for path in weights if hand.adapts(path)]
    sizes = [tf.size(weights[path]) for path in paths]

    @tf.function
    def slopes(flat):
        parts = [tf.reshape(x, weights[p].shape) for p, x in zip(paths, tf.split(flat, sizes))]
        found = hand.gradient(
            hand.support_loss, {**weights, **dict(zip(paths, parts))}, EPISODES[0]
        )
        return tf.concat([tf.reshape(found[path], [-1]) for path in paths], 0)

    start = tf.constant(adapting(hand, weights))
    moves = move * np.eye(len(start))
    columns = np.array([slopes(start + step) - slopes(start - step) for step in moves]) / (2 * move)
    return (columns + columns.T) / 2


def representation_by_hand(hand):
    def features(episode, steps):
        weights = hand.adapted(hand.start(episode), episode, steps)
        x, found = episode.query_x, []
        for stage in hand.learner.network.stages:
            x = hand.outputs(weights, x, stage)
            found.append(x.numpy())
        return found

    pairs = [zip(features(e, 0), features(e, hand.steps)) for e in EPISODES]
    return [[by_hsic(before, after) for before, after in stages] for stages in pairs]


# Bounds, which `launch.analyze` computes of runs.


def run_of(learner):
    run = types.SimpleNamespace(learner=learner, sampler=TASKS, training_sampler=TASKS, name="run")
    run.path, run.saved = "runs/a", {"epochs": 2, "steps_per_epoch": 5, "tasks": 3}
    run.masks = lambda names: [masks.CatfishMask()]
    run.squared_norm = Run.squared_norm.fget(run)
    return run


def bound_of(learner):
    (described,) = bound.analyze([run_of(learner)], rates=[PRUNED], episodes=3).results
    return described["bound"]


def capacity_of(learner):
    (described,) = capacity.analyze([run_of(learner)]).results
    return described["parameters"], described["dense"]


def bound_by_hand(hand):
    def error(episode):
        mask = hand.catfish(episode, PRUNED)
        weights = hand.adapted(hand.weights, episode, steps_of(hand), mask)
        hits = tf.argmax(hand.logits(weights, episode, mask), 1).numpy() == episode.query_y
        return 1 - np.mean(hits)

    squared = squared_norm(hand)
    environment = (squared / 2 + np.log(6 / 0.05)) / 4
    task = (squared / 2 + np.log(6 * 6 / 0.05) + (1 - PRUNED) / 2 * squared) / 10
    return np.mean([error(e) for e in EPISODES]) + environment**0.5 + task**0.5


def squared_norm(hand):
    return sum(np.sum(np.square(w)) for w in hand.weights.values())


def capacity_by_hand(hand):
    # The context of CAVIA is none of the weights that are learned over tasks.
    sizes = {p: np.size(w) for p, w in hand.weights.items() if not p.startswith("context")}
    rate = RATE if hand.learner.inner_steps else 0.0
    size, radius = sum(sizes.values()), squared_norm(hand) ** 0.5
    log = np.log(30**0.5 * radius * (1 + rate))
    return size, ((size * log + np.log(1 / 0.05)) / 30) ** 0.5


NO_STEPS = "without inner steps"
ANALYSES = {
    "memorization": Row(
        lambda learner: (
            analysis.memorization(learner, TASKS, masks.CatfishMask(), [PRUNED], episodes=3).loss
        ),
        lambda hand: losses_by_hand(hand, steps_of(hand)),
    ),
    "fine_tuning": Row(
        lambda learner: (
            analysis.fine_tuning(
                learner,
                TASKS,
                masks.CatfishMask(),
                [PRUNED],
                3,
                initializations=2,
                episodes=3,
                seed=4,
            ).loss
        ),
        fine_tuning_by_hand,
        refused(WITHOUT_STEPS, "nothing is fine-tuned without them"),
    ),
    "importance": Row(importance, importance_by_hand),
    "importance by meta-gradient": Row(
        lambda learner: importance(learner, "meta_gradient"),
        meta_scores_by_hand,
        {
            "Reptile": "difference of weights",
            "CAVIA": "flows through the context",
            **refused(FINE_TUNING, "labeled images, not from tasks"),
            **refused(TICKETS, "learns scores, not weights"),
        },
    ),
    "attention": Row(
        lambda learner: (
            analysis.attention(learner, EPISODES[0], masks.CatfishMask(), [PRUNED]).maps
        ),
        attention_by_hand,
    ),
    "task gradients": Row(
        lambda learner: analysis.TaskGradients(learner, TASKS, episodes=3)().values["norm"],
        lambda hand: [
            [np.linalg.norm(g) for p, g in found.items() if p.endswith("kernel")]
            for found in support_gradients(hand)
        ],
        refused(WITHOUT_STEPS, NO_STEPS),
    ),
    "last feature weight": Row(
        lambda learner: analysis.last_feature_weight(learner) == "conv_kernel", lambda hand: True
    ),
    "gradient coherence": Row(
        lambda learner: analysis.GradientCoherenceMeter(learner, TASKS, tasks=3).measure(),
        lambda hand: mean_over_pairs([adapting(hand, g) for g in support_gradients(hand)]),
        refused(WITHOUT_STEPS, NO_STEPS),
    ),
    "landscape": Row(landscape, landscape_by_hand, refused(WITHOUT_STEPS, NO_STEPS)),
    "representation": Row(
        lambda learner: analysis.representation_change(learner, TASKS, episodes=3).values["cka"],
        representation_by_hand,
        refused(WITHOUT_STEPS, NO_STEPS),
    ),
    "gradient check": Row(
        lambda learner: (
            analysis.check_gradients(learner, next(iter(TASKS.dataset(episodes=2)))).passed
        ),
        lambda hand: True,
        {
            "Reptile": "difference of weights. There is no loss whose slope",
            **refused(FINE_TUNING, "not from tasks. There is no loss whose slope"),
            "MAML, MR": "Regularizers add terms",
            **refused(TICKETS, "by definition not the slope"),
        },
    ),
    "in float64": Row(
        lambda learner: analysis.in_float64(learner).step_outcomes(EPISODES[0])["loss"],
        lambda hand: hand.losses(EPISODES[0], steps_of(hand)),
        dtype="float32",
    ),
    "input masks": Row(
        lambda learner: analysis.input_masks(learner).reshape(6, 16).T,
        lambda hand: hand.kept["dense1/kernel"],
        refused([n for n in LEARNERS if n not in TICKETS], "those of a MetaTicket"),
        backbone=pixels,
    ),
    "bound": Row(
        bound_of,
        bound_by_hand,
        {
            **refused(FINE_TUNING, "learns nothing over tasks"),
            **refused(TICKETS, "learns no weights"),
        },
    ),
    "capacity": Row(
        capacity_of,
        capacity_by_hand,
        {
            **refused(FINE_TUNING, "learns nothing over tasks"),
            **refused(TICKETS, "learns no weights"),
        },
    ),
}


# Twins of others: their variables lie alike. The full product runs with `-m slow`.
TWINS = (
    *("MAML, MR", "BOIL", "FineTuning, shared", "ProtoNet, cosine", "MetaOptNet, ridge"),
    "MetaTicketBOIL",
)
COSTLY = ("memorization", "fine_tuning", "bound", "landscape", "representation", "gradient check")


def is_slow(row, name):
    measured_elsewhere = row == "memorization" and name not in ("FOMAML", *WITHOUT_STEPS)
    return measured_elsewhere or (row in COSTLY and name in TWINS)


CASES = [
    pytest.param(row, name, marks=[pytest.mark.slow] if is_slow(row, name) else [])
    for row in ANALYSES
    for name in LEARNERS
]


@pytest.mark.parametrize(("row", "name"), CASES)
def test_it_is_right_or_refused_with_the_reason(row, name):
    measured, by_hand, refusals, backbone, dtype = ANALYSES[row]
    learner = build(name, backbone, dtype)
    if name in refusals:
        with pytest.raises((ValueError, TypeError), match=refusals[name]):
            measured(learner)
        return
    expected = by_hand(ByHand(learner, RATES.get(name, {"": RATE})))
    np.testing.assert_allclose(measured(learner), expected, rtol=2e-5, atol=1e-6)


def test_every_analysis_of_the_package_has_a_row():
    """Those that are not here look at no learner, and are named."""
    of_numbers = {"capacity_order", "linear_cka", "pac_bayes_bound", "pearson", "spearman"}
    of_learners = {name for name in analysis.__all__ if name[0].islower()} - of_numbers
    rows = {"check_gradients": "gradient check", "representation_change": "representation"}
    assert {rows.get(name, name.replace("_", " ")) for name in of_learners} <= {
        row.replace("_", " ") for row in ANALYSES
    }
