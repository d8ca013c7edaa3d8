import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from tests.helpers.full_disk import limited
from tests.helpers.short_training import STEPS, learner, sampler, train
from tfmgaug.callbacks import TensorBoard


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A training run of two epochs: its folder and its history."""
    folder = tmp_path_factory.mktemp("events")
    callback = TensorBoard(
        folder, {"way": 3, "rates": (0.0, 0.5), "mask": None}, sampler().episode(0)
    )
    return folder, train(learner(), [callback], epochs=2).history


def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    return accumulator


def curve(folder, tag):
    tensors = events(folder).Tensors(tag)
    return [e.step for e in tensors], [float(tf.make_ndarray(e.tensor_proto)) for e in tensors]


@pytest.mark.parametrize("tag", ["loss", "loss_before", "accuracy", "accuracy_before"])
def test_training_and_validation_share_tags_over_outer_steps(run, tag):
    folder, history = run
    steps, values = curve(folder / "train", tag)
    assert steps == [STEPS, 2 * STEPS]
    np.testing.assert_allclose(values, history[tag], rtol=1e-6)
    np.testing.assert_allclose(
        curve(folder / "validation", tag)[1], history[f"val_{tag}"], rtol=1e-6
    )


def test_validation_has_a_curve_for_each_inner_step(run):
    folder, history = run
    tags = events(folder / "validation").Tags()["tensors"]
    assert {f"accuracy_per_step/{step}" for step in range(3)} <= set(tags)
    _, values = curve(folder / "validation", "accuracy_per_step/2")
    np.testing.assert_allclose(values, history["val_accuracy"], rtol=1e-6)


def test_gaps_are_positive_where_validation_is_worse(run):
    folder, history = run
    accuracy, loss = (curve(folder / "train", f"gap/{m}")[1] for m in ("accuracy", "loss"))
    expected = np.subtract(history["accuracy"], history["val_accuracy"])
    np.testing.assert_allclose(accuracy, expected, atol=1e-6)
    np.testing.assert_allclose(loss, np.subtract(history["val_loss"], history["loss"]), atol=1e-6)


def test_learning_rates_are_shown(run):
    assert curve(run[0] / "train", "learning_rate/outer")[1] == pytest.approx([1e-3, 1e-3])
    assert curve(run[0] / "train", "learning_rate/inner")[1] == pytest.approx([0.1, 0.1])


def test_learned_rates_and_sparsity_have_a_curve_each(tmp_path):
    model = learner()
    model.inner_rates = lambda: {"conv1": np.array([0.1, 0.3]), "head": np.array(0.5)}
    model.mask_sparsity = lambda: {"conv1": 0.25}
    callback = TensorBoard(tmp_path)
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0})
    callback.on_train_end()
    assert curve(tmp_path / "train", "learning_rate/inner/conv1")[1] == pytest.approx([0.2])
    assert curve(tmp_path / "train", "learning_rate/inner/head")[1] == [0.5]
    assert curve(tmp_path / "train", "mask_sparsity/conv1")[1] == [0.25]


def test_events_that_cannot_be_written_are_named_with_a_remedy(tmp_path):
    callback = TensorBoard(tmp_path / "events")
    callback.set_model(learner())
    callback.on_train_begin()
    words = "events cannot be written: File too large .* free.*ulimit"
    with limited(50), pytest.raises(OSError, match=words):
        callback.on_epoch_end(0, {"loss": 1.0})
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file/x cannot be written: Not a directory"):
        TensorBoard(tmp_path / "file" / "x").on_train_begin()


def test_the_episode_is_an_image(run):
    (event,) = events(run[0] / "train").Tensors("episode")
    width, height, png = tf.make_ndarray(event.tensor_proto)
    pixels = tf.io.decode_png(png).numpy()
    assert pixels.shape[:2] == (int(height), int(width))
    assert pixels.std() > 10


def test_hparams_hold_flags_metrics_and_the_end_of_the_session(run):
    metadata = events(run[0]).summary_metadata
    contents = {
        tag: plugin_data_pb2.HParamsPluginData.FromString(data.plugin_data.content)
        for tag, data in metadata.items()
    }
    flags = contents["_hparams_/session_start_info"].session_start_info.hparams
    assert flags["way"].number_value == 3
    assert flags["rates"].string_value == "(0.0, 0.5)"
    assert flags["mask"].string_value == "None"
    metrics = contents["_hparams_/experiment"].experiment.metric_infos
    assert ("validation", "accuracy") in {(m.name.group, m.name.tag) for m in metrics}
    assert "_hparams_/session_end_info" in contents
