"""The main job: training, evaluation, drawing and export of a learner."""

import shlex
import sys
import time

from launch import devices, errors, recipe_flags, settings, summary, tasks
from launch.construction import landscape, meta_ticket, pruning
from launch.construction.learner import build_learner, set_precision
from launch.landscape_flags import BASELINE, BATCH_SIZE
from launch.run_directory import RunDirectory
from tfmgaug import callbacks
from tfmgaug.data import EpisodeSampler


def run(options):
    """Runs the main job with the flags.

    Args:
        options: absl flags of `launch.train`.
    """
    started = time.monotonic()
    directory = RunDirectory(options.run_dir or _default_path(options))
    resumed = directory.claim(options.overwrite, options.resume, settings.differences)
    threads = devices.set_threads(options.threads, options.tasks)
    job = tasks.build(options)
    strategy = devices.strategy(options.distribute, options.tasks)
    if options.precision != "float32":
        set_precision(options.precision)
    with strategy.scope():
        learner = build_learner(options, job)
    initial = [variable.numpy() for variable in learner.weights]
    epoch, history = callbacks.restore(learner, directory.checkpoints) if resumed else (0, [])
    if not resumed:  # now that nothing is wrong with the flags, an earlier run may go
        directory.begin({**settings.as_dictionary(), "recipe": options.recipe})
    computing = f"{strategy.num_replicas_in_sync} device(s), {options.precision}, {threads}"
    _announce(options, directory, learner, computing, epoch)
    try:
        history = _train(options, directory, learner, job, epoch, history)
    except KeyboardInterrupt:
        sys.exit(_stopped(directory))
    summary.conclude(options, directory, learner, job, initial, history, started)


def _default_path(options):
    mask = "" if options.mask == "none" else f"-mgaug-{options.mask}"
    mask += "" if options.pruning == "none" else f"-{options.pruning}"
    shape = f"{options.way}way-{options.shot}shot"
    return f"runs/{options.data}-{shape}-{options.learner}{mask}-seed{options.seed}"


def _announce(options, directory, learner, computing, epoch):
    mgaug = "without MGAug"
    if learner.augmentation is not None:
        mask = learner.augmentation.mask
        mgaug = (
            f"with MGAug: {options.subnetworks} sub-networks, {type(mask).__name__} {mask.rates}"
        )
    batch = f"{options.tasks} tasks"
    if options.learner == BASELINE:
        batch, mgaug = f"{options.batch_size or BATCH_SIZE} images", "over all training classes"
    print(
        f"{recipe_flags.text(options.recipe)}\n"
        f"{type(learner).__name__} {mgaug}\n"
        f"{options.data}, {options.way}-way {options.shot}-shot, {batch} a step, "
        f"{options.epochs} epochs of {options.steps_per_epoch} steps, "
        f"{learner.backbone.count_params():,} weights, {computing}\n"
        f"{_position(epoch, options.epochs)} {directory.path}/\n",
        flush=True,
    )


def _position(done, epochs):
    if done >= epochs:
        return f"All {epochs} epochs are trained; evaluating again in"
    return f"Going on at epoch {done + 1} in" if done else "Writing to"


def _train(options, directory, learner, job, epoch, history):
    """Fits from an epoch on and returns the history of all epochs."""
    monitors = landscape.monitors(options, job, directory, history)
    checkpoint = callbacks.Checkpoint(
        directory.checkpoints, history, landscape.monitored(options), overwrite=True
    )
    images = job.train.episode(0) if isinstance(job.train, EpisodeSampler) else None
    start = landscape.first_of_step(job.train, callbacks.outer_step(learner))
    if epoch < options.epochs:
        learner.fit(
            # The position in the data is the outer step: resumed training sees what it would have.
            job.train.dataset(start=start),
            validation_data=job.validation.dataset(episodes=options.validation_episodes),
            initial_epoch=epoch,
            epochs=options.epochs,
            steps_per_epoch=options.steps_per_epoch,
            shuffle=False,  # episodes come in their own order
            verbose=0,
            callbacks=[
                callbacks.FiniteLoss(),
                *meta_ticket.callbacks(options),
                *pruning.callbacks(options),
                *_measuring(options, job),
                *monitors,
                checkpoint,
                callbacks.TensorBoard(directory.events, settings.as_dictionary(), images),
                callbacks.Progress(),
            ],
        )
        for one in monitors:
            if isinstance(one, callbacks.LandscapeMonitor):
                print(one.cost())
    return checkpoint.history


def _measuring(options, job):
    """Callbacks that add to the logs, for those behind them to write."""
    measuring = []
    if options.gradient_norms_every:
        every, episodes = options.gradient_norms_every, options.validation_episodes
        measuring.append(callbacks.GradientNorms(job.validation, every, episodes))
    if options.gap_episodes is not None:
        seen, test = (one.dataset(episodes=options.gap_episodes) for one in (job.seen, job.test))
        measuring.append(callbacks.GeneralizationGap(seen, test))
    return measuring


def _stopped(directory):
    command = shlex.join(["python", "-m", "launch.train", *sys.argv[1:]])
    resume = "" if "--resume" in sys.argv else " --resume"
    print(
        f"\nStopped. Checkpoints of finished epochs are in {directory.checkpoints}/. Go on with:\n"
        f"  {command}{resume}",
        file=sys.stderr,
    )
    return errors.INTERRUPTED
