"""The main job: training, evaluation, drawing and export of a learner."""

import shlex
import sys
import time

from launch import devices, errors, recipe_flags, settings, summary, tasks
from launch.construction.callbacks import build_monitors, build_schedules, monitored
from launch.construction.learner import build_learner, set_precision
from launch.run_directory import RunDirectory
from tfmgaug import callbacks
from tfmgaug.data import EpisodeSampler, LabeledSampler


def run(options):
    """Runs the main job with the flags.

    Args:
        options: absl flags of `launch.train`.
    """
    started = time.monotonic()
    directory = RunDirectory(options.run_dir or _default_path(options))
    resumed = directory.claim(options.overwrite, options.resume, settings.differences)
    experiment = settings.experiment(settings.as_dictionary())
    threads = devices.set_threads(experiment.threads, experiment.tasks)
    job = tasks.build(experiment)
    strategy, idle = devices.strategy(experiment.distribute, devices.load(experiment))
    if experiment.precision != "float32":
        set_precision(experiment.precision)
    with strategy.scope():
        learner = build_learner(experiment, job)
    initial = [variable.numpy() for variable in learner.weights]
    epoch, history = callbacks.restore(learner, directory.checkpoints) if resumed else (0, [])
    if not resumed:  # now that nothing is wrong with the flags, an earlier run may go
        flags_and_recipe = {**settings.as_dictionary(), "recipe": options.recipe}
        directory.begin(flags_and_recipe, experiment.to_json())
    computing = f"{strategy.num_replicas_in_sync} device(s), {experiment.precision}, {threads}"
    print(recipe_flags.text(options.recipe), *([idle] if idle else []), sep="\n", flush=True)
    _announce(experiment, directory, learner, computing, epoch)
    try:
        history = _train(experiment, directory, learner, job, epoch, history)
    except KeyboardInterrupt:
        sys.exit(_stopped(directory))
    summary.conclude(experiment, directory, learner, job, initial, history, started)


def _default_path(options):
    mask = "" if options.mask == "none" else f"-mgaug-{options.mask}"
    mask += "" if options.pruning == "none" else f"-{options.pruning}"
    shape = f"{options.way}way-{options.shot}shot"
    return f"runs/{options.data}-{shape}-{options.learner}{mask}-seed{options.seed}"


def _announce(experiment, directory, learner, computing, epoch):
    mgaug = "without MGAug"
    if learner.augmentation is not None:
        mask = learner.augmentation.mask
        mgaug = (
            f"with MGAug: {learner.augmentation.subnetworks} sub-networks, {type(mask).__name__} "
            f"{mask.rates}"
        )
    batch = f"{experiment.tasks} tasks"
    if experiment.learner.name == "fine_tuning":
        batch, mgaug = f"{experiment.batch_size} images", "over all training classes"
    print(
        f"{type(learner).__name__} {mgaug}\n"
        f"{experiment.data}, {experiment.way}-way {experiment.shot}-shot, {batch} a step, "
        f"{experiment.epochs} epochs of {experiment.steps_per_epoch} steps, "
        f"{learner.backbone.count_params():,} weights, {computing}\n"
        f"{_position(epoch, experiment.epochs)} {directory.path}/\n",
        flush=True,
    )


def _position(done, epochs):
    if done >= epochs:
        return f"All {epochs} epochs are trained. Evaluating again in"
    return f"Resuming at epoch {done + 1} in" if done else "Writing to"


def _train(experiment, directory, learner, job, epoch, history):
    """Fits from an epoch on and returns the history of all epochs."""
    monitors = build_monitors(experiment, job, directory, history)
    checkpoint = callbacks.Checkpoint(
        directory.checkpoints, history, monitored(experiment), overwrite=True
    )
    images = job.train.episode(0) if isinstance(job.train, EpisodeSampler) else None
    start = _first_of_step(job.train, callbacks.outer_step(learner))
    if epoch < experiment.epochs:
        learner.fit(
            # The position in the data is the outer step: resumed training sees what it would have.
            job.train.dataset(start=start),
            validation_data=job.validation.dataset(episodes=experiment.validation_episodes),
            initial_epoch=epoch,
            epochs=experiment.epochs,
            steps_per_epoch=experiment.steps_per_epoch,
            shuffle=False,  # episodes come in their own order
            verbose=0,
            callbacks=[
                callbacks.FiniteLoss(),
                *build_schedules(experiment),
                *_measuring(experiment, job),
                *monitors,
                checkpoint,
                callbacks.TensorBoard(directory.events, settings.as_dictionary(), images),
                callbacks.Progress(),
            ],
        )
        for monitor in monitors:
            if isinstance(monitor, callbacks.LandscapeMonitor):
                print(monitor.cost())
    return checkpoint.history


def _first_of_step(sampler, step):
    """The place in a sampler's data where an outer step begins."""
    return step * (sampler.batch if isinstance(sampler, LabeledSampler) else sampler.tasks)


def _measuring(experiment, job):
    """Callbacks that add to the logs, for those behind them to write."""
    measuring = []
    if experiment.gradient_norms_every:
        every, episodes = experiment.gradient_norms_every, experiment.validation_episodes
        measuring.append(callbacks.GradientNorms(job.validation, every, episodes))
    if experiment.gap_episodes is not None:
        number = experiment.gap_episodes
        seen, test = job.seen.dataset(episodes=number), job.test.dataset(episodes=number)
        measuring.append(callbacks.GeneralizationGap(seen, test))
    return measuring


def _stopped(directory):
    command = shlex.join(["python", "-m", "launch.train", *sys.argv[1:]])
    resume = "" if "--resume" in sys.argv else " --resume"
    print(
        f"\nStopped. Checkpoints of finished epochs are in {directory.checkpoints}/. Resume with:\n"
        f"  {command}{resume}",
        file=sys.stderr,
    )
    return errors.INTERRUPTED
