"""The landscape in training: the numbers of the analysis, where users look for them."""

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.helpers.short_training import learner, sampler, train
from tests.helpers.tasks import small_conv
from tfmgaug.analysis import GradientCoherenceMeter, landscape
from tfmgaug.callbacks import Checkpoint, CoherenceStopping, LandscapeMonitor, restore
from tfmgaug.learners import ProtoNet

pytestmark = pytest.mark.usefixtures("unoptimized_graphs")


def test_logs_events_and_checkpoints_have_what_the_analysis_finds(tmp_path):
    pupil = learner()
    monitor = LandscapeMonitor(
        sampler(), every=2, tasks=4, log_dir=tmp_path, figure_dir=tmp_path / "figures"
    )
    checkpoint = Checkpoint(tmp_path / "checkpoints")
    train(pupil, [monitor, checkpoint], epochs=4)
    report = landscape(pupil, sampler(), 4)
    last = checkpoint.history[-1]
    for metric in report.metrics:
        summary = report.summary(metric)
        np.testing.assert_allclose(last[f"landscape/{metric}"], summary.mean, rtol=1e-6)
        np.testing.assert_allclose(
            last[f"landscape/{metric}_deviation"], summary.standard_deviation, rtol=1e-6
        )
        np.testing.assert_allclose(
            last[f"landscape/{metric}_interval"], summary.interval, rtol=1e-6
        )
    assert last["landscape/iterations"] == report.iterations.mean()
    assert last["landscape/seconds"] > 0
    measured = ["landscape/curvature" in row for row in checkpoint.history]
    assert measured == [False, True, False, True]

    events = EventAccumulator(str(tmp_path / "landscape"), {"tensors": 0})
    events.Reload()
    points = events.Tensors("landscape/curvature")
    assert [point.step for point in points] == [6, 12]
    np.testing.assert_allclose(
        tf.make_ndarray(points[-1].tensor_proto), last["landscape/curvature"], rtol=1e-6
    )
    for name in ("landscape", "landscape_correlation"):
        assert (tmp_path / "figures" / f"{name}.png").stat().st_size > 10_000
    assert [row["epoch"] for row in monitor.history] == [1, 3]


def test_its_cost_is_stated_and_bounded():
    pupil = learner()
    monitor = LandscapeMonitor(sampler(), tasks=3, curvature=False)
    train(pupil, [monitor], epochs=3, validate=False)
    assert "of 3 tasks measured 3 times in" in monitor.cost()
    assert "% of training" in monitor.cost()
    bounded = LandscapeMonitor(sampler(), tasks=3, curvature=False, max_seconds=1e-6)
    bounded.seconds = [1e-6]
    train(pupil, [bounded], epochs=2, validate=False)
    assert bounded.skipped == [0, 1]
    assert "2 more would have exceeded 1e-06 s" in bounded.cost()


def test_early_stopping_stops_at_the_highest_coherence_and_brings_its_weights_back():
    pupil = learner(learning_rate=0.05)
    stopping = CoherenceStopping(sampler(), tasks=4, patience=2)
    history = train(pupil, [stopping], epochs=60, validate=False).history
    values = history["gradient_coherence"]
    best = int(np.argmax(values))
    assert len(values) == best + 3 < 60
    found = GradientCoherenceMeter(pupil, sampler(), 4).measure()
    np.testing.assert_allclose(found, values[best], rtol=1e-6)


class Unlabeled:
    """Tasks whose queries are all wrong, in images and labels."""

    def dataset(self, **options):
        def spoil(inputs, query_y):
            return {**inputs, "query_x": 255 - inputs["query_x"]}, tf.zeros_like(query_y)

        return sampler().dataset(**options).map(spoil)


def test_early_stopping_reads_no_queries():
    measured = [
        GradientCoherenceMeter(learner(), one, 4).measure() for one in (sampler(), Unlabeled())
    ]
    assert measured[0] == measured[1]


def test_a_run_that_goes_on_stops_where_it_would_have_stopped(tmp_path):
    def callbacks(folder, rows=()):
        stopping = CoherenceStopping(
            sampler(), tasks=4, patience=3, restore_best_weights=False, history=rows
        )
        return [stopping, Checkpoint(folder, rows, monitor="gradient_coherence", overwrite=True)]

    train(learner(0.05), callbacks(tmp_path / "whole"), epochs=60, validate=False)
    _, whole = restore(learner(0.05), tmp_path / "whole")
    train(learner(0.05), callbacks(tmp_path / "half"), epochs=len(whole) - 2, validate=False)
    again = learner(0.05)
    epoch, rows = restore(again, tmp_path / "half")
    train(again, callbacks(tmp_path / "half", rows), epochs=60, epoch=epoch, validate=False)
    _, resumed = restore(learner(0.05), tmp_path / "half")
    assert [row["gradient_coherence"] for row in resumed] == [
        row["gradient_coherence"] for row in whole
    ]


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`every` must be at least 1"):
        LandscapeMonitor(sampler(), every=0)
    with pytest.raises(ValueError, match="`max_seconds` must be positive"):
        LandscapeMonitor(sampler(), max_seconds=0)
    with pytest.raises(ValueError, match="history of 1 epochs"):
        CoherenceStopping(sampler(), history=[{"gradient_coherence": 1.0}])
    protonet = ProtoNet(small_conv(way=None))
    protonet.compile()
    for callback in (LandscapeMonitor(sampler()), CoherenceStopping(sampler())):
        callback.set_model(protonet)
        with pytest.raises(ValueError, match="without inner steps"):
            callback.on_train_begin()
