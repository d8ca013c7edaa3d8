"""Several runs at a time, each in a slot of its own."""

import json
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from launch.reproduction import children, slots, training
from launch.reproduction.runs import FINISHED
from launch.reproduction.slots import Slot
from tests.launch.reproduce_test import ROOT, finish, plan, runs_of  # noqa: F401

TWO = (Slot("GPU 0", {"CUDA_VISIBLE_DEVICES": "0"}), Slot("GPU 1", {"CUDA_VISIBLE_DEVICES": "1"}))


def queue_of(runs, execute, lines):
    return training.Queue(runs, execute, lambda line, passing: lines.append(line), slots=TWO)


def test_each_job_has_a_gpu_of_its_own():
    made = slots.slots(2, gpus=["0", "3", "5"])
    assert [slot.environment for slot in made] == [
        {"CUDA_VISIBLE_DEVICES": "0"},
        {"CUDA_VISIBLE_DEVICES": "3"},
    ]
    assert [slot.threads for slot in made] == [0, 0]
    with pytest.raises(ValueError, match="at most the number of GPUs, 3.*--jobs=8"):
        slots.slots(8, gpus=["0", "3", "5"])


def test_without_gpus_each_job_has_a_share_of_the_cores():
    assert [slot.threads for slot in slots.slots(3, gpus=[], cores=8)] == [2, 2, 2]
    with pytest.raises(ValueError, match="at most the number of CPU cores, 2.*--jobs=3"):
        slots.slots(3, gpus=[], cores=2)


def test_a_run_goes_on_with_the_threads_that_it_was_begun_with(plan):  # noqa: F811
    (run,) = runs_of(plan, seeds=[0])
    assert Slot(threads=2).place(run).arguments == [*run.arguments, "--threads=2"]
    run.path.mkdir(parents=True)
    (run.path / "flags.json").write_text(json.dumps({**run.planned, "threads": 1}))
    for slot in (Slot(threads=2), Slot()):
        assert slot.place(run).arguments == [*run.arguments, "--threads=1"]
    chosen = run._replace(arguments=["--threads=4"])
    assert Slot(threads=2).place(chosen).arguments == ["--threads=4"]


def test_two_runs_are_at_work_at_once_and_a_failed_one_stops_no_other(plan):  # noqa: F811
    runs, lines, devices = runs_of(plan, seeds=range(4)), [], {}
    both = threading.Barrier(2, timeout=20)

    def execute(run, show):
        devices[run.seed] = run.environment["CUDA_VISIBLE_DEVICES"]
        if run.seed < 2:
            both.wait()  # nothing goes on until two are here
        show("Epoch 1/2")
        if run.seed == 1:
            return 1
        finish(run)
        return 0

    queue = queue_of(runs, execute, lines)
    queue.work()
    assert {devices[0], devices[1]} == {"0", "1"}
    assert [failure.run.seed for failure in queue.failures] == [1]
    assert [run.state == FINISHED for run in runs] == [True, False, True, True]
    for number in range(4):
        assert any(f"[{number + 1}/4] seed {number} on GPU" in line for line in lines)
    assert any("seed 1" in line and "FAILED" in line for line in lines)


def test_an_error_of_one_job_ends_the_others(plan, tmp_path):  # noqa: F811
    program = "import time; print('here', flush=True); time.sleep(300)"
    queue = queue_of(runs_of(plan, seeds=[0, 1]), None, [])
    here = threading.Event()

    def execute(run, show):
        if run.seed == 1:
            here.wait(20)
            raise OSError("no space")
        return queue._children.execute(["-c", program], tmp_path / "log", lambda line: here.set())

    queue._execute = execute
    started = time.monotonic()
    with pytest.raises(OSError, match="no space"):
        queue.work()
    assert time.monotonic() - started < 200  # it would go on for 300 s
    assert queue.failures == []
    with pytest.raises(KeyboardInterrupt):
        queue._children.execute(["-c", program], tmp_path / "log", print)


def tiny(directory, *flags):
    return [
        *(sys.executable, "-m", "launch.reproduce", "--paper=mgaug", "--table=1", "--jobs=2"),
        *("--cells=cub/1-shot/conv-4/protonet", "--seeds=0,1", f"--runs_dir={directory}"),
        *("--steps_per_epoch=1", "--filters=2", "--query=2", "--train_query=2"),
        *("--validation_episodes=2", "--test_episodes=4", *flags),
    ]


@pytest.fixture
def two_cores():
    if slots.visible_gpus() or len(slots.os.sched_getaffinity(0)) < 2:
        pytest.skip("two CPU cores and no GPU are needed")


@pytest.mark.usefixtures("two_cores")
def test_two_tiny_runs_are_trained_at_once(tmp_path):
    done = subprocess.run(
        tiny(tmp_path, "--epochs=1"), cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    starts = [done.stderr.index(f"[{n}/2]") for n in (1, 2)]
    assert max(starts) < done.stderr.index(" % after ")  # both had begun when the first ended
    saved = [json.loads(path.read_text()) for path in tmp_path.rglob("flags.json")]
    assert sorted(flags["seed"] for flags in saved) == [0, 1]
    assert all(flags["threads"] >= 1 for flags in saved)


@pytest.mark.usefixtures("two_cores")
def test_an_interruption_ends_all_jobs_which_go_on_from_their_checkpoints(tmp_path):
    command = tiny(tmp_path, "--epochs=2000")
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    until = time.monotonic() + 200
    while len(list(tmp_path.rglob("checkpoints/history.json"))) < 2:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=100)[1]
    assert process.returncode == 130
    assert "Stopped. Continue with:" in said
    assert "FAILED" not in said
    logs = list(tmp_path.rglob("seed*.log"))
    assert len(logs) == 2
    assert all("Stopped. Checkpoints of finished epochs" in log.read_text() for log in logs)
    assert not _alive(tmp_path)


def _alive(directory):
    """The processes that still train in a directory."""
    commands = pathlib.Path("/proc").glob("[0-9]*/cmdline")
    return [path for path in commands if str(directory) in _text(path)]


def _text(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def test_what_is_started_ends_with_all(tmp_path):
    group, codes = children.Children(), []
    program = "import time; print('here', flush=True); time.sleep(60)"
    here = threading.Semaphore(0)

    def work(number):
        path = tmp_path / f"{number}.log"
        codes.append(group.execute(["-c", program], path, lambda line: here.release()))

    threads = [threading.Thread(target=work, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert here.acquire(timeout=20)
    group.end()
    for thread in threads:
        thread.join(20)
    assert len(codes) == 2
    assert 0 not in codes
