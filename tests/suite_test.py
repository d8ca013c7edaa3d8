"""Every learner with every mask and statistics mode, from training to the exported model."""

import contextlib
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import dataset, flat, images, theta
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.engine.inner_optimizers import SGD
from tfmgaug.heads import RidgeHead
from tfmgaug.learners import (
    ANIL,
    BOIL,
    CAVIA,
    FOMAML,
    MAML,
    FineTuning,
    MetaOptNet,
    MetaTicket,
    ProtoNet,
    Reptile,
)
from tfmgaug.masks import CatfishMask, ParameterMask, WidthMask
from tfmgaug.saved_model import export

pytestmark = pytest.mark.usefixtures("unoptimized_graphs")


def backbone(way=3, **options):
    # Half of the time goes into tracing: convolutions have tests of their own.
    return mlp(way, (16, 16, 1), hidden=(8,), **options)


def gradient_based(kind):
    return lambda **options: kind(
        backbone(), inner_steps=2, inner_learning_rate=0.1, learn_inner_rates="layer", **options
    )


LEARNERS = {
    "MAML": gradient_based(MAML),
    "FOMAML": gradient_based(FOMAML),
    "ANIL": gradient_based(ANIL),
    "BOIL": gradient_based(BOIL),
    "CAVIA": lambda **options: CAVIA(
        backbone(context=3, normalization=False, activation="tanh"), **options
    ),
    "FineTuning": lambda **options: FineTuning(backbone(), classes=7, inner_steps=2, **options),
    "MetaOptNet": lambda **options: MetaOptNet(backbone(way=None), **options),
    "MetaOptNet, ridge": lambda **options: MetaOptNet(
        backbone(way=None), head=RidgeHead(), **options
    ),
    "MetaTicket": gradient_based(MetaTicket),
    "ProtoNet": lambda **options: ProtoNet(backbone(way=None), **options),
    "Reptile": lambda **options: Reptile(
        backbone(), inner_steps=2, inner_learning_rate=0.01, inner_batch=4, **options
    ),
    "Reptile, slots carried": lambda **options: Reptile(
        backbone(),
        inner_steps=2,
        inner_optimizer=SGD(momentum=0.9),
        evaluation_steps=3,
        carry_slots=True,
        parallel_tasks=1,
        **options,
    ),
    "ProtoNet, cosine": lambda **options: ProtoNet(
        backbone(way=None), distance="cosine", **options
    ),
}
MASKS = {
    "no mask": lambda: None,
    "width": lambda: MGAug(WidthMask(0.5), subnetworks=1),
    "parameter": lambda: MGAug(ParameterMask((0.0, 0.3)), subnetworks=1),
    "catfish": lambda: MGAug(CatfishMask(0.1), subnetworks=1),
}
MODES = ["transductive", "support", "running", "one_by_one"]

# FineTuning trains on labeled images, and refuses what acts on tasks.
PRODUCT = [
    (name, mask, mode)
    for name, mask, mode in itertools.product(LEARNERS, MASKS, MODES)
    if name != "FineTuning" or mask == "no mask"
]


def covering(product):
    """A small set of cases in which every two values meet, chosen greedily."""

    def pairs(case):
        return set(itertools.combinations(enumerate(case), 2))

    missing, chosen = set().union(*map(pairs, product)), []
    while missing:
        best = max(product, key=lambda case: len(pairs(case) & missing))
        chosen.append(best)
        missing -= pairs(best)
    return chosen


def labeled_images(classes=7):
    draws = np.random.default_rng(0)
    x = draws.integers(0, 256, size=(3 * classes, 16, 16, 1)).astype("uint8")
    return x, np.repeat(np.arange(classes, dtype="int32"), 3)


def run(name, mask, statistics, folder):
    learner = LEARNERS[name](augmentation=MASKS[mask](), statistics=statistics)
    before = flat(theta(learner))
    learner.compile(keras.optimizers.Adam(0.01))
    examples = labeled_images() if name == "FineTuning" else images()
    trained = learner.fit(dataset(examples), verbose=0).history
    assert np.isfinite(trained["loss"]).all()
    # Gradients through a normalization may cancel, but not in most weights.
    assert np.mean(flat(theta(learner)) != before) > 0.9

    learner.save(folder / "learner.keras")
    loaded = keras.models.load_model(folder / "learner.keras")
    np.testing.assert_array_equal(flat(theta(loaded)), flat(theta(learner)))
    assert evaluated(learner) == evaluated(loaded)
    assert_export_equals(loaded, statistics, folder / "export")


@contextlib.contextmanager
def eagerly():
    """Tracing a graph that runs once would take most of the time."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def evaluated(learner):
    with eagerly():
        return learner.evaluate(dataset(images(seed=1)), return_dict=True, verbose=0)


def assert_export_equals(learner, statistics, path):
    inputs, _ = images(seed=2)
    x, y, query = (inputs[part][0] for part in ("support_x", "support_y", "query_x"))
    export(learner, path, statistics=statistics)
    found = tf.saved_model.load(str(path)).signatures["adapt_and_predict"](
        support_x=x.astype("float32"), support_y=y, query_x=query.astype("float32")
    )["probabilities"]
    with eagerly():
        expected = learner.adapt(x, y, statistics=statistics).predict(query)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(expected.sum(1), 1, atol=1e-5)


def test_the_covering_set_lets_every_two_values_meet():
    cases = covering(PRODUCT)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        met = {(case[first], case[second]) for case in cases}
        assert met == {(case[first], case[second]) for case in PRODUCT}
    assert len(cases) < len(PRODUCT) / 2


@pytest.mark.parametrize(("name", "mask", "statistics"), covering(PRODUCT))
def test_it_trains_saves_loads_evaluates_and_exports(name, mask, statistics, tmp_path):
    run(name, mask, statistics, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mask", "statistics"), PRODUCT)
def test_the_full_product(name, mask, statistics, tmp_path):
    run(name, mask, statistics, tmp_path)
