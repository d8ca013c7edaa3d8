"""The network pruning paper: its numbers, and what its recipes make launch.train do."""

import functools

import pytest

from launch import settings
from launch.construction.building import build
from launch.construction.callbacks import build_schedules
from launch.construction.learner import build_optimizer
from launch.papers.registry import PAPERS
from tests.launch.recipe_settings import laid, resolve

PAPER = PAPERS["network_pruning"]
SIZES = ("full", "small")


@functools.cache
def resolved(recipe):
    """The settings of both forms, with the steps at which phases start."""
    return [{**resolve(recipe, size), "starts": starts(recipe.of(size)[1])} for size in SIZES]


def starts(recipe):
    with laid(recipe):
        experiment = settings.experiment(settings.as_dictionary())
    build_optimizer(experiment)
    build(experiment.magnitude_mask)
    schedule = build_schedules(experiment)
    return schedule[0].starts if schedule else []


def number(table, row, column=0):
    cells = [cell for cell in PAPER.table(table).cells if cell.row == row]
    return cells[column].published.mean


def test_every_cell_is_there_and_says_what_the_text_says():
    assert [len(table.cells) for table in PAPER.tables] == [12 * 2, 12 * 2, 14 * 2, 5 * 2]
    gain = number(1, "DSD+Reptile 128 50%", 1) - number(1, "Reptile 128", 1)
    assert gain == pytest.approx(4.47)  # Section 5.1
    assert number(2, "IHT+Reptile 64 20%") - number(2, "Reptile 64") == pytest.approx(1.24)
    drop = number(3, "Reptile 64") - number(3, "IHT+Reptile 64 40% without retraining")
    assert drop == pytest.approx(11.05)  # Section 5.2: about 11
    gain = number(4, "DSD-MetaOptNet 20%") - number(4, "MetaOptNet")
    assert gain == pytest.approx(0.2, abs=0.05)  # Section 5.3
    for row in ("DSD-CAVIA 10%", "IHT-CAVIA 10%"):  # "all cases outperform the baselines"
        assert all(number(4, row, column) > number(4, "CAVIA", column) for column in (0, 1))


def test_every_row_is_trained_as_it_says():
    for table, data in ((1, "mini_imagenet"), (2, "tiered_imagenet"), (3, "mini_imagenet")):
        for cell in PAPER.table(table).cells:
            found, small = resolved(cell.recipe)
            method, width, *rate = cell.row.split(" without")[0].split()
            assert (found["data"], found["filters"]) == (data, int(width))
            assert f"5-way {found['shot']}-shot" == cell.column
            assert found["pruning"] == small["pruning"] == (method[:3].lower() if rate else "none")
            rates = [f"{100 * float(one):g}%" for one in found["pruning_rates"] or []]
            assert rates == small["pruning_rates"] or [float(x[:-1]) / 100 for x in rates] == [
                float(x) for x in small["pruning_rates"] or []
            ]
            assert rates == rate
            assert found["epochs"] * found["steps_per_epoch"] == 100_000
            assert small["epochs"] * small["steps_per_epoch"] == 240


@pytest.mark.parametrize(
    ("table", "row", "starts"),
    [
        (1, "Reptile 64", []),
        (1, "DSD+Reptile 32 40%", [30, 80]),
        (1, "DSD+Reptile 64 30%", [30, 90]),
        (1, "IHT+Reptile 64 40%", [20, 35, 40, 55, 60, 75, 80, 95]),
        (2, "DSD+Reptile 64 10%", [30, 80]),
        (3, "DSD+Reptile 64 40% without retraining", [30]),
        (3, "IHT+Reptile 64 40% without retraining", [20, 35, 35, 50, 50, 65, 65]),
        (3, "DSD+Reptile 64 40% without pretraining", [0, 90]),
        (3, "IHT+Reptile 64 40% without pretraining", [0, 15, 20, 35, 40, 55, 60, 75, 80, 95]),
        (4, "CAVIA", []),
        (4, "DSD-CAVIA 10%", [30, 90]),
        (4, "DSD-MetaOptNet 20%", [30, 90]),
        (4, "IHT-CAVIA 10%", [20, 35, 40, 55, 60, 75, 80, 95]),
    ],
)
def test_phases_begin_at_the_paper_s_steps_and_the_small_form_s_at_the_same_shares(
    table, row, starts
):
    for cell in PAPER.table(table).cells:
        if cell.row == row:
            full, small = (found["starts"] for found in resolved(cell.recipe))
            hundredth = 600 if table == 4 else 1000  # of all steps
            assert full == [hundredth * start for start in starts]
            assert small == [pytest.approx(2.4 * start) for start in starts]


def test_figures_vary_one_length():
    for figure, expected in (
        ("figure3a", [[10, 90], [30, 90], [50, 90]]),
        ("figure3b", [[30, 90], [30, 70], [30, 50]]),
    ):
        (panel,) = [p for f in PAPER.figures for p in f.panels if p.name == figure]
        full, small = zip(*(resolved(recipe) for recipe in panel.runs.values()))
        assert [one["starts"] for one in full] == [[1000 * s for s in one] for one in expected]
        assert [one["starts"] for one in small] == [
            [pytest.approx(2.4 * s) for s in one] for one in expected
        ]
    for figure in ("figure4a", "figure4b"):
        (panel,) = [p for f in PAPER.figures for p in f.panels if p.name == figure]
        for full, small in (resolved(recipe) for recipe in panel.runs.values()):
            lengths = full["pruning_sparse"] + full["pruning_retrain"]
            assert 20_000 + full["pruning_rounds"] * lengths == 100_000
            assert small["starts"] == [pytest.approx(0.0024 * s) for s in full["starts"]]


def test_the_baseline_is_reptile_s_published_command():
    for shot, size in ((1, 5), (5, 15)):
        (cell,) = [
            cell
            for cell in PAPER.table(1).cells
            if cell.row == "Reptile 64" and cell.column == f"5-way {shot}-shot"
        ]
        found, _ = resolved(cell.recipe)
        expected = {
            "inner_batch": 10,
            "inner_steps": 8,
            "inner_learning_rate": 0.001,
            "inner_optimizer": "adam",
            "inner_reduction": "sum",
            "carry_slots": True,
            "evaluation_batch": size,
            "test_inner_steps": 50,
            "train_shot": 15,
            "tasks": 5,
            "optimizer": "sgd",
            "learning_rate": 1.0,
            "schedule": "linear",
            "keep": "last",
            "query": 1,
            "statistics": "transductive",
        }
        assert {name: found[name] for name in expected} == expected


def test_reptile_has_the_network_of_its_code():
    for cell in (cell for number in (1, 2, 3) for cell in PAPER.table(number).cells):
        for found in resolved(cell.recipe):
            network = ("conv4", "max", "same", True, 0.001)
            names = ("backbone", "pooling", "pool_padding", "pool_first", "normalization_epsilon")
            assert tuple(found[name] for name in names) == network
    others = [resolved(cell.recipe)[0] for cell in PAPER.table(4).cells]
    assert {(found["pool_padding"], found["pool_first"]) for found in others} == {("valid", False)}


def test_omniglot_has_reptile_s_published_commands_and_phases_of_the_same_shares():
    found = {recipe.name.partition("omniglot/")[2]: resolve(recipe) for recipe in PAPER.others}
    assert len(found) == 12
    plain = found["5-way-1-shot/reptile-64"]
    expected = {
        "inner_batch": 25, "inner_steps": 3, "tasks": 10, "evaluation_batch": 25,
        "test_inner_steps": 5, "train_shot": 15, "learning_rate": 1, "pooling": "strided",
        "data": "omniglot", "rotations": True, "inner_learning_rate": 0.001, "pruning": "none",
    }  # fmt: skip
    assert {name: plain[name] for name in expected} == expected
    for name, settings_ in found.items():
        steps = settings_["epochs"] * settings_["steps_per_epoch"]
        assert steps == (200_000 if name.startswith("20") else 100_000)
    iht, dsd = (found[f"20-way-5-shot/reptile-64+{method}-40"] for method in ("iht", "dsd"))
    lengths = iht["pruning_sparse"] + iht["pruning_retrain"]
    assert iht["pruning_dense"] + iht["pruning_rounds"] * lengths == 200_000
    assert (dsd["pruning_dense"], dsd["pruning_sparse"]) == (60_000, 120_000)


OF_CAVIA = {
    "learner": "cavia",
    "backbone": "conv4",
    "filters": 128,
    "inner_steps": 2,
    "inner_learning_rate": 1.0,
    "optimizer": "adam",
    "learning_rate": 0.001,
    "clip_gradients": 10.0,
    "statistics": "transductive",
}
OF_METAOPTNET = {
    "learner": "metaoptnet",
    "backbone": "resnet12",
    "filters": 64,
    "tasks": 8,
    "train_shot": 15,
    "train_query": 6,
    "optimizer": "sgd",
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 5e-4,
    "learning_rate": 0.1,
    "statistics": "running",
}


def test_complex_networks_are_trained_as_their_authors_do():
    for cell in PAPER.table(4).cells:
        found, small = resolved(cell.recipe)
        own = OF_CAVIA if "CAVIA" in cell.row else OF_METAOPTNET
        if own is OF_CAVIA:
            own = {**own, "tasks": {1: 4, 5: 2}[found["shot"]]}
        assert {name: found[name] for name in own} == own
        assert (found["data"], f"5-way {found['shot']}-shot") == ("mini_imagenet", cell.column)
        assert found["epochs"] * found["steps_per_epoch"] == 60_000
        method, rate = cell.row.split("-")[0].lower(), cell.row.partition(" ")[2]
        assert found["pruning"] == (method if rate else "none")
        assert found["keep"] == small["keep"] == ("last" if rate else "best")
        assert [f"{100 * float(one):g}%" for one in found["pruning_rates"] or []] == rate.split()
        assert small["epochs"] * small["steps_per_epoch"] == 240
        assert (small["data"], small["pruning"]) == ("glyphs", found["pruning"])


def test_rates_of_complex_networks_fall_as_their_authors_say():
    found = {cell.row: resolved(cell.recipe)[0] for cell in PAPER.table(4).cells}
    cavia, metaoptnet = found["CAVIA"], found["MetaOptNet"]
    factors = [float(one) for one in cavia["schedule_factors"]]
    assert factors == pytest.approx([0.9**n for n in range(1, 12)], rel=1e-5)
    steps = [(int(one) - 1) * cavia["steps_per_epoch"] for one in cavia["schedule_epochs"]]
    assert steps == list(range(5000, 60_000, 5000))
    rates = [0.1 * float(one) for one in metaoptnet["schedule_factors"]]
    assert metaoptnet["schedule_epochs"] == ["20", "40", "50"]
    assert rates == pytest.approx([0.006, 0.0012, 0.00024])


def test_metaoptnet_crops_padded_images_and_cavia_none():
    found = {cell.row: resolved(cell.recipe)[0] for cell in PAPER.table(4).cells}
    crops = {row: one["augment_images"] and one["image_crop"] for row, one in found.items()}
    assert crops["MetaOptNet"] == crops["DSD-MetaOptNet 20%"] == "padded"
    assert crops["CAVIA"] is False


def test_pruning_takes_the_place_of_drop_block():
    found = {cell.row: resolved(cell.recipe)[0]["regularizers"] for cell in PAPER.table(4).cells}
    assert found["MetaOptNet"] == ["drop_block", "label_smoothing"]
    assert found["DSD-MetaOptNet 20%"] == ["label_smoothing"]
