"""Tables 1 to 4 of the network pruning paper, as printed."""

import re

from launch.papers.network_pruning import complex_networks, experiments
from launch.papers.paper import read_table

# Columns: 5-way 1-shot, 5-way 5-shot.
_TABLE_1 = """
Reptile 32          50.30±0.40 64.27±0.44
Reptile 64          51.08±0.44 65.46±0.43
Reptile 128         49.96±0.45 64.40±0.43
Reptile 256         48.60±0.44 63.24±0.43
DSD+Reptile 32 40%  50.83±0.45 65.24±0.44
DSD+Reptile 64 30%  51.91±0.45 67.23±0.43
DSD+Reptile 128 50% 52.08±0.45 68.87±0.42
DSD+Reptile 256 60% 53.00±0.45 68.04±0.42
IHT+Reptile 32 20%  50.26±0.47 63.63±0.45
IHT+Reptile 64 40%  52.59±0.45 67.41±0.43
IHT+Reptile 128 40% 52.73±0.45 68.69±0.42
IHT+Reptile 256 60% 49.85±0.44 66.56±0.42
"""
_TABLE_2 = """
Reptile 32          50.52±0.45 64.63±0.44
Reptile 64          51.98±0.45 67.70±0.43
Reptile 128         53.30±0.45 69.29±0.42
Reptile 256         54.62±0.45 68.06±0.42
DSD+Reptile 32 10%  50.94±0.46 64.65±0.44
DSD+Reptile 64 10%  52.62±0.46 66.69±0.43
DSD+Reptile 128 10% 53.39±0.46 67.22±0.43
DSD+Reptile 256 20% 54.98±0.45 67.98±0.43
IHT+Reptile 32 10%  50.58±0.46 63.09±0.45
IHT+Reptile 64 20%  53.22±0.46 66.15±0.44
IHT+Reptile 128 10% 53.48±0.45 69.39±0.42
IHT+Reptile 256 10% 55.06±0.45 67.60±0.43
"""
_TABLE_3 = """
Reptile 64                              51.08±0.44 65.46±0.43
Reptile 128                             49.96±0.45 64.40±0.43
DSD+Reptile 64 40% without retraining   43.92±0.43 60.09±0.45
DSD+Reptile 128 60% without retraining  47.06±0.44 55.07±0.44
IHT+Reptile 64 40% without retraining   40.03±0.41 60.59±0.45
IHT+Reptile 128 60% without retraining  42.01±0.42 52.71±0.45
DSD+Reptile 64 40% without pretraining  50.84±0.45 66.32±0.44
DSD+Reptile 128 60% without pretraining 51.04±0.45 67.23±0.44
IHT+Reptile 64 40% without pretraining  52.07±0.45 66.90±0.43
IHT+Reptile 128 60% without pretraining 52.58±0.45 67.83±0.42
DSD+Reptile 64 40%                      51.96±0.45 66.64±0.43
DSD+Reptile 128 60%                     52.27±0.45 68.44±0.42
IHT+Reptile 64 40%                      52.59±0.45 67.41±0.43
IHT+Reptile 128 60%                     52.95±0.45 68.04±0.42
"""
_TABLE_4 = """
MetaOptNet         61.95±0.60 77.79±0.45
DSD-MetaOptNet 20% 62.16±0.62 77.51±0.48
CAVIA              48.76±0.99 62.54±0.78
DSD-CAVIA 10%      49.53±0.93 63.34±0.79
IHT-CAVIA 10%      49.97±0.97 63.48±0.78
"""

_REMARK = (
    "± is a 95 % interval over test episodes. Statistics are transductive, and the last network is "
    "tested, on one query a class."
)
_REMARK_4 = (
    "± is a 95 % interval over test episodes. CAVIA's statistics are transductive, MetaOptNet's "
    "running averages, as in their code. Tested is the network of best validation, under DSD and "
    "IHT the last. The lengths of phases are ours: Section 5.1's shares of 60 000 steps. "
    "MetaOptNet's code validates in 5-shot for both columns, ours in each one's own shots."
)
# The learner of each row of Table 4, and what it adds.
_ROWS_4 = {
    "MetaOptNet": ("metaoptnet",),
    "DSD-MetaOptNet 20%": ("metaoptnet", "dsd", 20),
    "CAVIA": ("cavia",),
    "DSD-CAVIA 10%": ("cavia", "dsd", 10),
    "IHT-CAVIA 10%": ("cavia", "iht", 10),
}
_COLUMNS = {"5-way 1-shot": 1, "5-way 5-shot": 5}


def _rows(printed):
    """The labels of a table of Reptile, each of which says the row's settings."""
    return [re.split(r" +\d+\.", line)[0] for line in printed.strip().splitlines()]


def mini_imagenet(row, shot):
    """Makes the recipe of a row on mini-ImageNet, named after the first place that has it.

    Args:
        row: its label, of Table 1, Table 3 or Figure 1.
        shot: 1 or 5.

    Returns:
        A `Recipe`.
    """
    places = {"table1": _rows(_TABLE_1), "table3": _rows(_TABLE_3)}
    where = next((place for place, rows in places.items() if row in rows), "figure1")
    return experiments.recipe(row, "mini_imagenet", shot, where)


def _tiered_imagenet(row, shot):
    return experiments.recipe(row, "tiered_imagenet", shot, "table2")


def _table(number, caption, printed, recipe=mini_imagenet, remark=""):
    rows = {row: row for row in _rows(printed)}
    return read_table(number, caption, f"{_REMARK}{remark}", printed, rows, _COLUMNS, recipe)


TABLES = (
    _table(1, "Results on mini-ImageNet under varying numbers of channels", _TABLE_1),
    _table(2, "Results on tiered-ImageNet", _TABLE_2, _tiered_imagenet),
    _table(
        3,
        "Ablation of pre-training and retraining",
        _TABLE_3,
        remark=" The length of the other phases without one is ours: 100 000 steps in all.",
    ),
    read_table(
        4,
        "Results on complex networks: MetaOptNet with ResNet-12, CAVIA with 128 channels",
        _REMARK_4,
        _TABLE_4,
        _ROWS_4,
        _COLUMNS,
        lambda row, shot: complex_networks.recipe(row[0], shot, *row[1:]),
    ),
)
