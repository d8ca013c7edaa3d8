"""Checks what a run of the main job wrote, with TensorFlow alone."""

import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

EXPECTED = (
    "flags.json",
    "checkpoints/best.weights.h5",
    "checkpoints/history.json",
    "checkpoints/last.weights.h5",
    "figures/episode.png",
    "figures/accuracy_per_step.png",
    "figures/training_curves.png",
    "learner.keras",
)


def main(run):
    """Exits with an error if the run directory lacks something."""
    missing = [name for name in EXPECTED if not (run / name).stat().st_size]
    events = list(run.glob("events/**/events.out.tfevents*"))
    report = json.loads((run / "report.json").read_text())
    if missing or len(events) < 2:
        sys.exit(f"Expected the files of a run. Missing or empty: {missing}; {len(events)} events.")
    if not 0.2 < report["accuracy"] <= 1 or report["episodes"] != 40:
        sys.exit(f"Expected an accuracy above chance over 40 episodes. Received: {report}.")
    model = tf.saved_model.load(str(run / "export")).signatures["adapt_and_predict"]
    images = np.random.default_rng(0).uniform(0, 255, [5, 40, 30, 1]).astype("float32")
    result = model(support_x=images, support_y=np.arange(5, dtype="int32"), query_x=images)
    totals = result["probabilities"].numpy().sum(axis=1)
    if not np.allclose(totals, 1, atol=1e-5):
        sys.exit(f"Expected probabilities. Received rows that add up to {totals}.")
    print(f"The run is whole: accuracy {report['accuracy']:.3f} ± {report['interval']:.3f}.")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
