"""The commands, run as a user runs them."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
SMALL = [
    "--filters=4",
    "--inner_steps=1",
    "--test_inner_steps=2",
    "--subnetworks=1",
    "--epochs=3",
    "--steps_per_epoch=3",
    "--tasks=2",
    "--query=2",
    "--validation_episodes=4",
    "--test_episodes=4",
    "--gradient_norms_every=2",
]


def launch(command, *flags):
    return subprocess.Popen(
        [sys.executable, "-m", f"launch.{command}", *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(command, *flags):
    process = launch(command, *flags)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def weights(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]}) if hasattr(item, "dtype") else None
        )
    return found


# Trains, and meets a fault when the second epoch's checkpoint is written.
FAULTY = """
import os, resource, signal, sys
from absl import app
from launch import environment, train
environment.import_tensorflow()
from tfmgaug import callbacks, files

fault = sys.argv.pop(1)
write, flush = callbacks.Checkpoint.on_epoch_end, files._flush

def killed(path):
    if path.name.endswith("last.weights.h5"):
        os.truncate(path, 100)
        os.kill(os.getpid(), signal.SIGKILL)
    flush(path)

def on_epoch_end(checkpoint, epoch, logs=None):
    if epoch == 1 and fault == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
    if epoch == 1 and fault == "killed":
        files._flush = killed
    write(checkpoint, epoch, logs)

callbacks.Checkpoint.on_epoch_end = on_epoch_end
app.run(train.main)
"""


def run_faulty(fault, *flags):
    command = [sys.executable, "-c", FAULTY, fault, *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    code, output, errors = run("train", f"--run_dir={path}", *SMALL)
    assert code == 0, errors
    return path, output


def test_the_main_job_writes_all_it_promises(finished):
    path, output = finished
    for name in ("flags.json", "report.json", "learner.keras", "export/saved_model.pb"):
        assert (path / name).stat().st_size
    assert {file.name for file in (path / "figures").iterdir()} == {
        "accuracy_per_step.png",
        "episode.png",
        "training_curves.png",
    }
    assert "before adaptation" in output
    assert "pixel floor" in output
    assert str(path) in output


def test_a_run_begins_with_its_recipe_and_keeps_its_name(finished):
    path, output = finished
    assert output.startswith("Recipe quickstart: --data=glyphs ")
    assert "--filters" not in output.partition("FOMAML")[0]  # given by SMALL
    assert json.loads((path / "flags.json").read_text())["recipe"] == "quickstart"


def test_the_report_names_what_its_number_means(finished):
    report = json.loads((finished[0] / "report.json").read_text())
    assert report["episodes"] == 4
    assert report["statistics"] == "transductive"
    assert set(report["per_inner_step"]) == {"transductive", "support"}
    assert len(report["per_inner_step"]["support"]["mean"]) == 1 + 2  # --test_inner_steps
    assert 0 <= report["floor"]["accuracy"] <= 1
    assert report["peak_memory_megabytes"] > 100


def test_a_killed_run_resumes_to_the_same_weights(finished, tmp_path):
    process = launch("train", f"--run_dir={tmp_path / 'killed'}", *SMALL)
    history = tmp_path / "killed" / "checkpoints" / "last.weights.h5"
    deadline = time.monotonic() + 240
    while not history.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "killed" / "report.json").exists()
    code, _, errors = run("train", f"--run_dir={tmp_path / 'killed'}", *SMALL, "--resume")
    assert code == 0, errors
    assert_same_checkpoints(tmp_path / "killed", finished[0])


def assert_same_checkpoints(path, expected):
    """Compares weights, optimizer's state and history, bit for bit."""
    for name in ("last.weights.h5", "best.weights.h5"):
        found, whole = (weights(one / "checkpoints" / name) for one in (path, expected))
        assert whole.keys() == found.keys()
        for variable in whole:
            np.testing.assert_array_equal(whole[variable], found[variable], err_msg=variable)
    history = "checkpoints/history.json"
    assert (path / history).read_text() == (expected / history).read_text()


def test_a_run_that_met_a_full_disk_and_a_kill_while_it_wrote_resumes_exactly(finished, tmp_path):
    flags = [f"--run_dir={tmp_path / 'run'}", *SMALL]
    checkpoint = tmp_path / "run" / "checkpoints" / "last.weights.h5"
    full = run_faulty("full", *flags)
    assert full.returncode == 1, full.stderr  # not a segmentation fault
    words = r"Error: \S+\.weights\.h5 cannot be written: File too large \(\S+ kB needed, .* free\)"
    assert re.match(words, full.stderr), full.stderr
    assert "Epochs up to 1 are whole: `restore`, and --resume, go on from there." in full.stderr
    assert "Traceback" not in full.stderr
    assert len(full.stderr.splitlines()) == 2  # the second is --traceback's
    assert not [file.name for file in checkpoint.parent.iterdir() if file.name.startswith(".")]
    before = checkpoint.read_bytes()
    assert run_faulty("killed", *flags, "--resume").returncode == -signal.SIGKILL
    assert checkpoint.read_bytes() == before
    code, _, errors = run("train", *flags, "--resume")
    assert code == 0, errors
    assert_same_checkpoints(tmp_path / "run", finished[0])


def test_a_finished_run_says_that_it_is_and_goes_on_at_no_epoch(finished):
    code, output, errors = run("train", f"--run_dir={finished[0]}", *SMALL, "--resume")
    assert code == 0, errors
    assert "All 3 epochs are trained. Evaluating again in" in output
    assert "epoch 4" not in output


def test_gradients_are_measured_in_the_epochs_asked_for(finished):
    history = json.loads((finished[0] / "checkpoints" / "history.json").read_text())
    measured = ["gradient_mean_absolute/conv4_kernel" in row for row in history]
    assert measured == [False, True, False]


def test_an_existing_run_is_not_overwritten(finished):
    before = (finished[0] / "report.json").read_bytes()
    code, _, errors = run("train", f"--run_dir={finished[0]}", *SMALL)
    assert code == 1
    assert "--overwrite" in errors
    assert "Traceback" not in errors
    assert (finished[0] / "report.json").read_bytes() == before


@pytest.mark.parametrize("flags", [[], ["--resume"], ["--overwrite", "--way=5000"]])
def test_a_finished_run_without_checkpoints_is_not_deleted(flags, finished, tmp_path):
    run_dir = shutil.copytree(finished[0], tmp_path / "run")
    shutil.rmtree(run_dir / "checkpoints")
    before = {path: path.stat().st_size for path in run_dir.rglob("*")}
    code, _, errors = run("train", f"--run_dir={run_dir}", *SMALL, *flags)
    assert code == 1
    assert "5000" in errors if flags[1:] else "without the checkpoint" in errors
    assert {path: path.stat().st_size for path in run_dir.rglob("*")} == before


def test_other_flags_are_refused_on_resume(finished):
    code, _, errors = run("train", f"--run_dir={finished[0]}", *SMALL, "--resume", "--shot=2")
    assert code == 1
    assert "--shot=2 (the run was started with 1)" in errors


def test_two_runs_are_compared_on_the_same_episodes(finished, tmp_path):
    flags = ["--query=2", "--test_episodes=4", f"--output={tmp_path / 'result.json'}"]
    learner = finished[0] / "learner.keras"
    code, output, errors = run("evaluate", f"--runs={finished[0]},{learner}", *flags)
    assert code == 0, errors
    result = json.loads((tmp_path / "result.json").read_text())
    report = json.loads((finished[0] / "report.json").read_text())
    assert result["reports"][0]["accuracy"] == pytest.approx(report["accuracy"])
    assert len(result["comparisons"]) == 2
    assert "pixel floor" in output


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Gray images of 10 classes and of another size than the run's."""
    root = tmp_path_factory.mktemp("photos")
    for number in range(10):
        (root / f"c{number}").mkdir()
        for i in range(4):
            pixels = np.full([9, 11], 20 * number + i, np.uint8)
            Image.fromarray(pixels).save(root / f"c{number}" / f"{i}.png")
    return root


def test_a_run_is_evaluated_on_several_data_sets(finished, photos, tmp_path):
    flags = ["--query=2", "--test_episodes=4", f"--output={tmp_path / 'result.json'}"]
    where = [f"--datasets=glyphs,folder:{photos}", "--test_classes=train"]
    code, output, errors = run("evaluate", f"--runs={finished[0]}", *where, *flags)
    assert code == 0, errors
    assert output.count(" statistics: mean ± 95 % interval over 4 episodes") == 2
    header = next(line for line in output.splitlines() if "glyphs/train" in line)
    assert f"{photos.name}/train" in header
    assert "pixel floor, 28 x 28" in output
    result = json.loads((tmp_path / "result.json").read_text())
    (row,) = result["runs"]
    assert list(row["on"]) == ["glyphs", f"folder:{photos}"]
    assert all(0 <= one["accuracy"] <= 1 for one in row["on"].values())


def test_all_classes_of_a_small_foreign_folder_are_tested(finished, photos):
    data = ["--data=folder", f"--data_dir={photos}", "--image_size=28", "--way=5"]
    flags = [*data, "--query=2", "--test_episodes=4", "--groups=(?:c[02]/(.)|.)"]
    code, output, errors = run("evaluate", f"--runs={finished[0]}", *flags)
    assert code == 0, errors
    assert f"{photos.name} (all 10 classes), 5-way 1-shot" in output
    warned = [line for line in errors.splitlines() if line.startswith("Warning: ")]
    assert warned == []
    code, output, errors = run("evaluate", f"--runs={finished[0]}", *flags, "--query=4")
    assert code == 1
    assert "4 in class 'c0' (10 of 10 classes have too few)" in errors


def test_the_help_of_evaluation_lists_the_flags_of_data():
    code, output, _ = run("evaluate", "--helpshort")
    for flag in ("--data", "--data_dir", "--groups", "--skip_small_classes", "--way", "--runs"):
        assert f"\n  {flag}:" in output.replace("--[no]", "--"), flag


def test_data_named_twice_over_is_refused(finished):
    flags = ["--datasets=glyphs", "--data=glyphs", "--image_size=28"]
    code, _, errors = run("evaluate", f"--runs={finished[0]}", *flags)
    assert code == 1
    assert "leave away --data and --image_size" in errors


def test_a_run_is_exported_with_another_statistics_mode(finished, tmp_path):
    flags = [f"--run={finished[0]}", f"--path={tmp_path / 'model'}", "--statistics=transductive"]
    code, output, errors = run("export", *flags)
    assert code == 0, errors
    assert (tmp_path / "model" / "saved_model.pb").exists()
    assert "transductive" in output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data=folder", "--data_dir=/nowhere"], "/nowhere"),
        (["--way=5000"], "5000"),
        (["--learner=protonet", "--data=sinusoids", "--backbone=mlp"], "ProtoNet"),
        (["--mask_rates=1.5"], "rates"),
    ],
)
def test_bad_input_is_refused_in_one_line_before_training(flags, message, tmp_path):
    code, _, errors = run("train", f"--run_dir={tmp_path / 'run'}", *flags)
    assert code == 1
    assert message in errors
    assert "Traceback" not in errors
