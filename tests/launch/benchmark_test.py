"""The benchmark: that it measures fairly, and that all peers compute what we compute."""

import dataclasses
import functools
import importlib
import json
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from launch.benchmarks import (
    children,
    floor,
    implementations,
    interleaving,
    ours,
    problem,
    table,
    workloads,
)
from launch.benchmarks.implementations import Implementation
from launch.benchmarks.measurement import Measurement
from tests.helpers.single_task import task_gradient
from tfmgaug.episode import Episode

ROOT = pathlib.Path(__file__).parents[2]
BY_NAME = {workload.name: workload.smaller() for workload in workloads.WORKLOADS}
KEYS = {
    "workload",
    "implementation",
    "dtype",
    "median_seconds",
    "peak_megabytes",
    "first_step_seconds",
    "loss",
    "gradient_norm",
    "valid",
}
FAKE = """
import os, pathlib
print("chatter while it is imported")

class Peer:
    def __init__(self, workload, problem, dtype, name="", loss=1.0, fails=None, log=None):
        self.name, self.loss, self.fails, self.log, self.steps = name, loss, fails, log, 0

    def step(self, given=None):
        self.steps += 1
        print("chatter", flush=True)
        os.write(1, b"{}\\n")  # as a C library would
        if self.log:
            with pathlib.Path(self.log).open("a") as log:
                log.write(self.name)
        if self.fails == "raises":
            raise ValueError("no room\\nfor this")
        if self.fails == "dies" and self.steps == 4:
            os.kill(os.getpid(), 9)

    def measure(self, result):
        return {"loss": self.loss, "gradient_norm": 2.0}

build = Peer
"""


@pytest.fixture
def fake(tmp_path):
    """Makes implementations that need no framework."""
    (tmp_path / "fake_peer.py").write_text(FAKE)
    missing = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    (tmp_path / "needs_torch.py").write_text(missing)

    def make(name, module="fake_peer", **options):
        if module == "fake_peer":
            options = {"name": name[0], "log": str(tmp_path / "log"), **options}
        return Implementation(name, module, options, {"PYTHONPATH": str(tmp_path)})

    return make


def measure(*fakes, repeats=2, dtype="float32"):
    """Measures fakes on the MLP, for which no convolution is measured; rows by name."""
    lines = []
    rows, _ = Measurement(fakes, repeats, 0, lines.append).run(BY_NAME["E"], dtype)
    return {row.implementation: row for row in rows}, lines


def text(rows):
    return table.table(BY_NAME["E"], list(rows.values()))


def launch(*flags):
    return subprocess.Popen(
        [sys.executable, "-m", "launch.benchmark", "--small", *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs, CI's among them, ignore Ctrl-C and pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_rows_are_void_when_they_disagree_and_have_no_ratio(fake):
    rows, _ = measure(fake("tfmgaug"), fake("same", loss=1.0009), fake("other", loss=1.002))
    assert [rows[name].valid for name in ("tfmgaug", "same", "other")] == [True, True, False]
    assert rows["same"].ratio > 0
    assert rows["other"].ratio is None
    assert rows["other"].median > 0
    assert "void: off by 2.0e-03, more than 1e-03" in text(rows)
    assert "best peer, 'same'" in text(rows)


def test_bfloat16_is_held_against_our_float32_within_a_wider_bound(fake):
    rows, _ = measure(fake("tfmgaug"), fake("b", loss=1.04), fake("c", loss=0.9), dtype="bfloat16")
    assert rows["b"].valid
    assert not rows["c"].valid


def test_ours_is_void_when_no_peer_agrees_with_it(fake):
    rows, _ = measure(fake("tfmgaug", loss=3.0), fake("first"), fake("second"))
    assert not any(row.valid for row in rows.values())
    assert "there are no ratios" in text(rows)


def test_a_loss_that_is_not_finite_is_void_and_fits_into_json(fake):
    rows, _ = measure(fake("tfmgaug"), fake("broken", loss=float("nan")), fake("same"))
    row = rows["broken"].to_json()
    assert not row["valid"]
    assert row["loss"] is None
    json.dumps(row, allow_nan=False)


def test_implementations_take_turns(fake, tmp_path):
    measure(fake("tfmgaug"), fake("a"), fake("b"), repeats=3)
    # Each takes a first step and one to warm up.
    assert (tmp_path / "log").read_text() == "ttaabb" + "tab" * 3


def test_what_does_not_fit_into_memory_together_meets_ours_in_groups(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(interleaving.children, "available_megabytes", lambda: 100.0)
    rows, _ = measure(fake("tfmgaug"), fake("a"), fake("b"))
    assert (tmp_path / "log").read_text() == "ttaa" + "ta" * 2 + "bb" + "tb" * 2
    assert len(rows["tfmgaug"].seconds) == 4
    assert rows["b"].ours == rows["tfmgaug"].seconds[2:]


def test_a_failure_is_a_row_and_not_the_end(fake):
    rows, _ = measure(
        fake("tfmgaug"),
        fake("killed", fails="dies"),
        fake("raising", fails="raises"),
        fake("torch peer", module="needs_torch"),
        fake("well"),
    )
    assert "SIGKILL, probably out of memory" in rows["killed"].error
    assert rows["raising"].error == "first step: ValueError: no room for this"
    assert rows["torch peer"].error == "not installed: torch. pip install -e '.[bench]'"
    assert rows["well"].valid
    assert "void: not installed" in text(rows)
    for name in ("killed", "raising", "torch peer"):
        assert rows[name].ratio is None
        assert not rows[name].to_json()["valid"]


def test_a_child_that_cannot_start_says_its_last_words(tmp_path):
    (tmp_path / "exits.py").write_text("import sys; sys.exit('a library is too old')")
    child = Implementation("x", "exits", environment={"PYTHONPATH": str(tmp_path)})
    with pytest.raises(children.ChildError, match="a library is too old"):
        children.Child(child, BY_NAME["E"], "float32", 0)


def test_memory_of_a_child_does_not_count_the_parent(fake):
    with children.Child(fake("a"), BY_NAME["E"], "float32", 0) as child:
        child.ask("first_step")
        peak = child.ask("peak")["peak_megabytes"]
    # Without TensorFlow, which this process has imported.
    assert 0 < child.loaded["import_megabytes"] <= peak < 150


def test_the_command_measures_us_without_any_peer(tmp_path):
    path = tmp_path / "rows.json"
    flags = ["--workloads=e", "--implementations=tfmgaug", "--repeats=2", f"--output={path}"]
    process = launch(*flags)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    (row,) = json.loads(path.read_text())
    assert set(row) >= KEYS
    assert (row["workload"], row["implementation"], row["dtype"]) == ("E", "tfmgaug", "float32")
    assert row["valid"]
    assert row["median_seconds"] < row["first_step_seconds"]
    assert "tfmgaug" in output
    before = path.read_text()
    process = launch(*flags)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "--overwrite" in errors
    assert path.read_text() == before


def test_ctrl_c_ends_the_children():
    process = launch("--workloads=E", "--implementations=tfmgaug", "--repeats=100000")
    while "round" not in process.stderr.readline():
        assert process.poll() is None
    own = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert own
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped" in errors
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in own)


def test_names_choose_workloads_and_families():
    assert [w.name for w in workloads.choose(["d", "A"])] == ["A", "D-paper", "D-authors"]
    assert [w.name for w in workloads.choose(["C", "C4"])] == ["C1", "C4"]
    assert len(workloads.choose([])) == len(workloads.WORKLOADS)
    with pytest.raises(ValueError, match="Received: \\['Z'\\]"):
        workloads.choose(["A", "Z"])


def test_names_choose_implementations_and_ours_is_among_them():
    names = [one.name for one in implementations.choose(["JAX", "torch.func loop"])]
    assert names == ["tfmgaug", "torch.func loop", "JAX loop", "JAX vmap"]
    with pytest.raises(ValueError, match="torchmeta"):
        implementations.choose(["torchmeta"])


def test_a_peer_whose_package_is_not_run_is_named_as_a_rewriting():
    names = [one.name for one in implementations.choose(["learn2learn"])][1:]
    assert names
    assert all(name.startswith("learn2learn's rule (rewritten)") for name in names)
    for page in ("README.md", "docs/performance.md"):
        text = (ROOT / page).read_text()
        rows = [line for line in text.splitlines() if line[:1] == "|" and "learn2learn" in line]
        assert all("learn2learn's rule (rewritten)" in row for row in rows)
        assert "does not build on today's Python" in text


def test_unknown_precisions_are_refused_in_one_line():
    process = launch("--dtypes=float8")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "float8" in errors
    assert "Traceback" not in errors


def test_the_floor_counts_every_product_once():
    workload = dataclasses.replace(BY_NAME["E"], image_shape=(2, 2, 1), hidden=(3,), way=2, query=1)
    workload = dataclasses.replace(workload, shot=1, inner_steps=1, tasks=1)
    # Forward 4 * 3 + 3 * 2 = 18 an example, of which 12 are the first layer's; two examples each.
    assert floor.products(workload) == 2 * (9 * 18 - 5 * 12) + 2 * (3 * 18 - 12)
    first_order = dataclasses.replace(workload, learner="fomaml")
    assert floor.products(first_order) == 2 * 2 * (3 * 18 - 12)


def test_the_floor_of_subnetworks_and_of_their_score():
    plain, authors, paper = (floor.products(BY_NAME[n]) for n in ("A", "D-authors", "D-paper"))
    assert authors == 3 * plain  # two sub-networks in the tiny form
    scored = dataclasses.replace(BY_NAME["A"], inner_steps=0)
    assert paper - authors == floor.products(scored)


def test_the_floor_of_a_residual_network_counts_both_layers_on_the_images_and_all_shortcuts():
    workload = dataclasses.replace(BY_NAME["G"], image_shape=(4, 6, 1), blocks=(2, 3), way=2)
    workload = dataclasses.replace(workload, shot=1, query=1, inner_steps=1, tasks=1)
    # At 24 positions 9 * 1 * 2 and the shortcut's 1 * 2, then two of 9 * 2 * 2.
    on_images = 24 * (18 + 2)
    # At 6 positions 9 * 2 * 3, two of 9 * 3 * 3 and the shortcut's 2 * 3; the head's 3 * 2.
    forward = on_images + 24 * 2 * 36 + 6 * (54 + 2 * 81 + 6) + 6
    assert floor.products(workload) == 2 * 2 * (3 * forward - on_images)
    second_order = dataclasses.replace(workload, learner="maml", inner_steps=1)
    inner = 2 * (9 * forward - 5 * on_images)
    assert floor.products(second_order) == inner + 2 * (3 * forward - on_images)


@pytest.mark.parametrize("name", ["A", "C1", "E", "G"])
def test_our_network_starts_from_all_weights_of_the_problem(name):
    start = problem.draw(BY_NAME[name])
    backbone = ours.Ours(BY_NAME[name], start, dtype="float32")._backbone()
    found = {variable.path: variable.numpy() for variable in backbone.trainable_variables}
    assert set(found) == set(start.weights)
    for path, weight in start.weights.items():
        np.testing.assert_array_equal(found[path], weight)


def test_given_masks_reach_their_task_and_subnetwork():
    workload = BY_NAME["D-paper"]
    start = problem.draw(workload)
    masks = problem.draw_masks(workload)
    peer = ours.Ours(workload, start, dtype="float32")
    result = peer.measure(peer.step(masks))
    assert result["gradient_norm"] == pytest.approx(_norm_by_hand(peer, workload, start, masks))


def _norm_by_hand(peer, workload, start, masks):
    """The definition of MGAug, a task and a sub-network at a time, without MGAug."""
    learner = ours._learner(workload, peer._backbone(), None)
    paths = {name: variable.path for name, variable in learner.network.variables.items()}
    total = {name: tf.zeros_like(weight) for name, weight in learner.network.params.items()}

    @tf.function
    def gradient(task, own):
        return task_gradient(learner, task, weight_transform=_multiply(own)).gradients

    for number in range(workload.tasks):
        parts = [tf.constant(part[number]) for part in start[1:]]
        task = Episode(*parts, index=tf.constant(number))
        full = {name: tf.ones_like(weight) for name, weight in total.items()}
        pruned = [
            {
                name: tf.constant(masks[paths[name]][number, u]) if paths[name] in masks else ones
                for name, ones in full.items()
            }
            for u in range(len(workload.rates))
        ]
        for own in (full, *pruned):
            total = {name: total[name] + part for name, part in gradient(task, own).items()}
    return float(tf.linalg.global_norm(list(total.values()))) / workload.tasks


def _multiply(masks):
    return lambda weights: {name: masks[name] * weight for name, weight in weights.items()}


def test_masks_have_the_rates_of_the_workload():
    workload = BY_NAME["D-paper"]
    for mask in problem.draw_masks(workload).values():
        size = int(np.prod(mask.shape[2:]))
        pruned = (1 - mask).reshape(*mask.shape[:2], -1).sum(-1)
        expected = [problem.number_pruned(rate, size) for rate in workload.rates]
        np.testing.assert_array_equal(pruned, np.tile(expected, (workload.tasks, 1)))
        assert min(expected) > 0


@functools.cache
def result_of_ours(name):
    return results(ours.Ours, name)


def results(build, name, **options):
    """Loss and norm of a step, and with MGAug also of a step with given masks."""
    workload = BY_NAME[name]
    start = problem.draw(workload)
    peer = build(workload, start, dtype="float32", **options)
    measured = [peer.measure(peer.step())]
    if workload.rates:
        measured.append(peer.measure(peer.step(problem.draw_masks(workload))))
    return [number for one in measured for number in (one["loss"], one["gradient_norm"])]


def _peers():
    for implementation in implementations.IMPLEMENTATIONS[1:]:
        for name, workload in BY_NAME.items():
            # The allocator changes nothing, and JAX takes long to compile.
            quick = "JAX" not in implementation.name or name in ("A", "C4", "D-paper", "G")
            plain = "tuned" not in implementation.name
            if implementation.does(workload) and plain and quick:
                yield pytest.param(implementation, name, id=f"{implementation.name}-{name}")


@pytest.mark.parametrize(("implementation", "name"), list(_peers()))
def test_peers_compute_what_we_compute(implementation, name):
    if "jax" in implementation.module:
        pytest.importorskip("jax", reason="JAX is not installed: pip install -e '.[bench]'")
    else:
        torch = pytest.importorskip("torch", reason="no PyTorch: pip install -e '.[bench]'")
        torch.set_num_threads(1)  # for work this small, more only wait for each other
    if "higher" in implementation.module:
        pytest.importorskip("higher", reason="no higher: pip install -e '.[bench]'")
    build = importlib.import_module(implementation.module).build
    theirs = results(build, name, **implementation.options)
    # Their own masks too: in networks this small, rounding flips no entry of these.
    np.testing.assert_allclose(theirs, result_of_ours(name), rtol=1e-3)
