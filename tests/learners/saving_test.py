import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest

from tests.helpers.tasks import batch, dataset, flat, regression, small_conv, smooth_mlp, theta
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.heads import SVMHead
from tfmgaug.learners import ANIL, BOIL, CAVIA, FOMAML, MAML, MetaOptNet, ProtoNet
from tfmgaug.masks import CatfishMask, ParameterMask


def backbone(way=3):
    return smooth_mlp(way, dtype="float32")


def compiled(**options):
    augmentation = MGAug(ParameterMask((0.1, 0.5)), subnetworks=2)
    settings = {"inner_steps": 1, "inner_learning_rate": 0.25, "augmentation": augmentation}
    learner = FOMAML(backbone(), **{**settings, **options})
    learner.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 100)))
    return learner


def train(learner, steps):
    learner.fit(dataset(batch(), repeat=steps), verbose=0)
    return learner


@pytest.fixture(scope="module")
def uninterrupted():
    return train(compiled(), 6)


def assert_same_bits(learner, other):
    np.testing.assert_array_equal(flat(theta(learner)), flat(theta(other)))
    slots = [flat(one.optimizer.variables) for one in (learner, other)]
    np.testing.assert_array_equal(*slots)
    assert int(learner.step.numpy()) == int(other.step.numpy())


def test_training_that_went_through_a_keras_file_ends_with_the_same_bits(tmp_path, uninterrupted):
    train(compiled(), 3).save(tmp_path / "half.keras")
    resumed = keras.models.load_model(tmp_path / "half.keras")
    assert int(resumed.step.numpy()) == 3
    assert_same_bits(train(resumed, 3), uninterrupted)


def test_training_that_went_through_a_weights_file_ends_with_the_same_bits(tmp_path, uninterrupted):
    train(compiled(), 3).save_weights(tmp_path / "half.weights.h5")
    resumed = compiled()
    resumed.load_weights(tmp_path / "half.weights.h5")
    assert_same_bits(train(resumed, 3), uninterrupted)


def test_the_seed_decides_the_subnetworks(uninterrupted):
    other = train(compiled(seed=1), 6)
    assert np.abs(flat(theta(other)) - flat(theta(uninterrupted))).max() > 1e-4


def test_running_statistics_are_saved(tmp_path):
    learner = train(compiled(statistics="running", augmentation=None), 1)
    learner.save(tmp_path / "running.keras")
    copy = keras.models.load_model(tmp_path / "running.keras")
    saved, loaded = (flat(one.backbone.non_trainable_variables) for one in (learner, copy))
    np.testing.assert_array_equal(saved, loaded)
    assert np.abs(saved[:5]).max() > 0


LEARNERS = {
    "MAML": lambda: MAML(backbone(), inner_steps=3, learn_inner_rates="parameter", seed=9),
    "rates by layer": lambda: MAML(backbone(), inner_learning_rate=[0.1, 0.2, 0.3, 0.4, 0.5]),
    "FOMAML": lambda: FOMAML(backbone(), augmentation=MGAug(CatfishMask(0.3), resolutions=None)),
    "ANIL": lambda: ANIL(backbone(), statistics="support", first_order=True, measure_before=False),
    "BOIL": lambda: BOIL(small_conv(), parallel_tasks=2, name="body"),
    "CAVIA": lambda: CAVIA(small_conv(context=3), clip_task_gradients=2.0, first_order=True),
    "MetaOptNet": lambda: MetaOptNet(backbone(None), head=SVMHead(0.2, 3.0), initial_scale=2.0),
    "ProtoNet": lambda: ProtoNet(backbone(None), distance="cosine", scale=3.0),
    "regression": lambda: MAML(mlp(1, (1,), hidden=(4,)), loss="mean_squared_error"),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_every_constructor_argument_is_in_the_configuration(name, tmp_path):
    learner = LEARNERS[name]()
    learner.compile()
    learner.save(tmp_path / "x.keras")
    copy = keras.models.load_model(tmp_path / "x.keras")
    assert type(copy) is type(learner)
    configurations = [one.get_config() for one in (copy, learner)]
    for configuration in configurations:
        configuration.pop("backbone")  # whose tuples come back as lists
    assert configurations[0] == configurations[1]
    np.testing.assert_array_equal(flat(theta(copy)), flat(theta(learner)))
    assert [v.path for v in copy.meta_variables] == [v.path for v in learner.meta_variables]


def test_a_loaded_regression_gives_the_same_gradients(tmp_path):
    learner = LEARNERS["regression"]()
    learner.save(tmp_path / "x.keras")
    copy = keras.models.load_model(tmp_path / "x.keras")
    found, expected = (flat(one.meta_gradients(regression())) for one in (copy, learner))
    np.testing.assert_array_equal(found, expected)


def test_no_weight_is_counted_twice():
    learner = LEARNERS["MAML"]()
    kernels = learner.backbone.count_params() - sum(
        v.shape[0] for v in learner.backbone.non_trainable_variables
    )
    assert learner.count_params() == learner.backbone.count_params() + kernels + 1
    assert len({id(v) for v in learner.trainable_variables}) == len(learner.meta_variables)


def test_no_weight_is_saved_twice(tmp_path):
    learner = FOMAML(backbone(), inner_steps=1)
    learner.save_weights(tmp_path / "once.weights.h5")
    sizes = []
    with h5py.File(tmp_path / "once.weights.h5") as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))
    assert sum(sizes) == learner.backbone.count_params() + 1  # the outer step


WITHOUT_IMPORT = "import sys, keras; keras.saving.load_model(sys.argv[1])"


def test_loading_without_the_import_says_what_to_import(tmp_path):
    learner = MAML(mlp(3, (4,), hidden=(5,)), inner_steps=1)
    learner.save(tmp_path / "learner.keras")
    command = [sys.executable, "-c", WITHOUT_IMPORT, str(tmp_path / "learner.keras")]
    error = subprocess.run(command, capture_output=True, text=True).stderr
    message = error[error.index("Could not locate class 'MAML'") :]
    assert "import tfmgaug" in message[:600]
