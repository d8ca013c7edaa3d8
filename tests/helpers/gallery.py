"""All figures of the package, drawn of made-up numbers under names of any length."""

import numpy as np

from tests.helpers import analysis_reports, evaluation_reports
from tfmgaug import figures
from tfmgaug.analysis import Attention, Importance, Network
from tfmgaug.episode import Episode

# What runs are called where they are not named: the names of their directories.
DIRECTORIES = tuple(
    f"mini_imagenet-20way-5shot-{learner}-seed{seed}"
    for seed, learner in enumerate(
        ("maml", "fomaml-mgaug-parameter", "meta_ticket_boil", "reptile-mgaug-catfish-dsd")
    )
)
_RATES = (0.001, 0.005, 0.01, 0.02, 0.05)
_LAYERS = tuple(f"block{k}_conv{n}_kernel" for k in (1, 2, 3, 4) for n in (1, 2, 3))
_LANDSCAPE = (
    *("query_accuracy", "query_loss", "curvature", "support_loss", "trajectory_norm"),
    *("trajectory_coherence", "gradient_coherence", "gradient_cosine"),
)


def _draws():
    return np.random.default_rng(0)


def _runs(names, row, epochs=12, seeds=3):
    """Runs of other seeds under the first name, one under each other."""
    draws = _draws()
    return {
        name: [
            [{"epoch": epoch, **row(epoch / epochs, draws)} for epoch in range(epochs)]
            for _ in range(1 if number else seeds)
        ]
        for number, name in enumerate(names)
    }


def _losses(progress, draws):
    keys = [prefix + key for key in ("loss", "accuracy") for prefix in ("", "val_")]
    keys += [f"{key}_before" for key in keys]
    return {key: 0.3 + 0.6 * progress + 0.02 * draws.normal() for key in keys}


def _accuracies(progress, draws):
    training, test = (0.3 + s * progress + 0.02 * draws.normal() for s in (0.6, 0.3))
    return {
        "training_accuracy": training, "test_accuracy": test, "accuracy_gap": training - test
    }  # fmt: skip


def _landscape(progress, draws):
    row = {}
    for metric in _LANDSCAPE:
        row[f"landscape/{metric}"] = 0.3 + 0.5 * progress + 0.05 * draws.normal()
        row[f"landscape/{metric}_interval"] = 0.05
    return row


def _subnetworks(name, steps, others=()):
    draws = _draws()
    curve = 0.2 + 0.6 * (1 - np.exp(-np.arange(steps + 1)))
    networks = 1 + len(_RATES) + len(others)
    values = curve - 0.05 * np.arange(networks)[:, np.newaxis]
    accuracy = np.clip(values + 0.05 * draws.normal(size=[20, networks, steps + 1]), 0, 1)
    return analysis_reports.report(
        *(accuracy, None, _RATES, others), name=name, mutually_exclusive=False
    )


def _hats(names):
    return figures.hat_graph(*(_subnetworks(name, 5) for name in names))


def _fine_tuning(names):
    others = ["random initialization"]
    return figures.fine_tuning_curves(*(_subnetworks(name, 20, others) for name in names))


def _importance(names):
    draws, edges = _draws(), np.logspace(-9, -1, 31)
    results = []
    for name in names:
        counts = np.zeros([4, 1, 3, 31], int)
        counts[:, 0, 2, :12] = draws.integers(50, 900, [4, 12])
        counts[:, 0, 1, 12:25] = draws.integers(500, 9000, [4, 13])
        counts[:, 0, 0, 25:] = draws.integers(50, 900, [4, 6])
        sizes = (int(counts[0].sum()),)
        totals = np.tile([6.0, 3.0, 1.0], [4, 1, 1])
        tasks = ("mini_imagenet/test", 20, 5, 15, 0, True, "f")
        results.append(Importance(name, 0.2, _LAYERS[-1:], sizes, edges, counts, totals, *tasks))
    return figures.importance_histogram(*results)


def _attention(names):
    draws, queries = _draws(), 4
    networks = (Network("full network", 0.0, 0.0), Network("0.5 % pruned", 0.005, 0.005))
    networks += (Network("2 % pruned", 0.02, 0.02),)
    labels = np.arange(queries)
    result = Attention(
        names[0], "residual_block4", networks, "CatfishMask", "support",
        draws.integers(0, 255, [queries, 32, 32, 3]).astype(np.uint8), labels,
        np.array([labels, labels, (labels + 1) % 4]), np.full([3, queries, 4], 0.25),
        draws.random([3, queries, 4, 4]) * (np.arange(queries) > 0)[:, None, None],
    )  # fmt: skip
    classes = [f"golden-crowned_kinglet_{number}" for number in range(4)]
    return figures.attention_grid(result, classes)


def _episode(way):
    support_y, query_y = np.arange(way), np.repeat(np.arange(way), 3)
    images = _draws().integers(0, 255, [4 * way, 28, 28, 1]).astype(np.uint8)
    names = [f"black-footed_albatross_in_flight_{number}" for number in range(way)]
    episode = Episode(images[:way], support_y, images[way:], query_y, np.int64(0))
    return figures.episode_grid(episode, names)


def _steps(names):
    modes = ("transductive", "support")
    draws = _draws()
    values = {mode: 0.3 + 0.1 * np.arange(6) + 0.1 * draws.random([9, 6]) for mode in modes}
    learners = [
        evaluation_reports.report(values, name=name, dataset="mini_imagenet/validation", way=20)
        for name in names
    ]
    floor = evaluation_reports.report({"none": [[0.4], [0.45]]}, name="pixel floor")
    return figures.accuracy_per_step(*learners, floor)


def _gradients(names):
    values = {"mean_absolute_kept": 0.01 + 0.01 * _draws().random([4, len(_LAYERS)])}
    reports = [analysis_reports.layer_report(values, name, _LAYERS) for name in names]
    row = lambda progress, draws: {"mean_absolute_kept": 0.01 * (1.1 - progress)}  # noqa: E731
    return figures.gradient_norms(reports, _runs(names, row), _LAYERS[-1])


def _representation(names):
    values = {"cka": 0.4 + 0.6 * _draws().random([4, len(_LAYERS)])}
    reports = [analysis_reports.layer_report(values, name, _LAYERS) for name in names]
    return figures.representation_profile(*reports)


def _sparsity(names):
    def row(progress, draws):
        return {f"mask_sparsity/{layer}": 0.3 + 0.1 * progress for layer in _LAYERS}

    return figures.sparsity_curves(_runs(names, row))


def _widths(names):
    draws = _draws()
    accuracies = {
        name: {width: list(0.5 + 0.2 * draws.random(number + 1)) for width in (0.5, 1, 2, 4, 8)}
        for number, name in enumerate(names)
    }
    title = "mini_imagenet/validation, 20-way 5-shot, meta_ticket_boil"
    return figures.accuracy_against_width(accuracies, title, way=20)


def _sensitivity(names):
    curves = {
        name: [(steps, 0.5 + 0.01 * seed) for steps in (1000, 50_000, 100_000) for seed in (1, 2)]
        for name in names
    }
    return figures.sensitivity_curves(curves, "iterations of retraining after the last round")


def _shots(names):
    return _runs([f"{name}, k = {k}" for name in names[:1] for k in range(2, 16)], _landscape, 1)


# Functions of a tuple of names.
FIGURES = {
    "accuracy_against_width": _widths,
    "accuracy_per_step": _steps,
    "attention_grid": _attention,
    "episode_grid": lambda names: _episode(5),
    "episode_grid of many": lambda names: _episode(20),
    "fine_tuning_curves": _fine_tuning,
    "gap_curves": lambda names: figures.gap_curves(_runs(names, _accuracies)),
    "gradient_norms": _gradients,
    "hat_graph": _hats,
    "hat_graph of one": lambda names: _hats(names[2:3]),
    "importance_histogram": _importance,
    "importance_histogram of one": lambda names: _importance(names[2:3]),
    "input_mask_grid": lambda names: figures.input_mask_grid(
        _draws().random([1024, 28, 28, 1]) < 0.5
    ),
    "landscape_correlation": lambda names: figures.landscape_correlation(_runs(names, _landscape)),
    "landscape_correlation of many": lambda names: figures.landscape_correlation(_shots(names)),
    "landscape_curves": lambda names: figures.landscape_curves(_runs(names, _landscape)),
    "representation_profile": _representation,
    "run_curves": lambda names: figures.run_curves(
        _runs(names, _losses, 300), marks={names[1]: 40}
    ),
    "sensitivity_curves": _sensitivity,
    "sparsity_curves": _sparsity,
    "training_curves": lambda names: figures.training_curves(_runs(names, _losses)[names[0]][0]),
}
