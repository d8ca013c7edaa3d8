"""The network pruning paper: numbers of Tables 1 to 4 as printed, and the runs of its figures."""

import re

from launch.reproduction.paper import Figure, Panel, Paper, Recipe, read_table

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
_CAVIA, _METAOPTNET = "network_pruning_cavia", "network_pruning_metaoptnet"
_DSD_4, _IHT_4 = "network_pruning_table4_dsd", "network_pruning_table4_iht"
_ROWS_4 = {
    "MetaOptNet": (_METAOPTNET,),
    "DSD-MetaOptNet 20%": (
        *(_METAOPTNET, "network_pruning_without_drop_block"),
        *(_DSD_4, "network_pruning_rate_20"),
    ),
    "CAVIA": (_CAVIA,),
    "DSD-CAVIA 10%": (_CAVIA, _DSD_4, "network_pruning_rate_10"),
    "IHT-CAVIA 10%": (_CAVIA, _IHT_4, "network_pruning_rate_10"),
}
_SMALL_4 = {
    _CAVIA: "small_network_pruning_cavia",
    _METAOPTNET: "small_network_pruning_metaoptnet",
    _DSD_4: "small_network_pruning_dsd",
    _IHT_4: "small_network_pruning_iht",
}

_REMARK = (
    "± is a 95 % interval over test episodes. Statistics are transductive, and the last network is "
    "tested, on one query a class."
)
_REMARK_4 = (
    "± is a 95 % interval over test episodes. CAVIA's statistics are transductive, MetaOptNet's "
    "running averages, as in their code. Tested is the network of best validation, under DSD and "
    "IHT the last. The lengths of phases are ours: Section 5.1's shares of 60 000 steps. "
    "MetaOptNet's code validates in 5-shot for both columns, ours in each one's own shots, and "
    "its crops are padded, ours resized."
)
_ROW = re.compile(r"(?:(DSD|IHT)\+)?Reptile (\d+)(?: (\d+)%)?(?: without (\w+))?")


def _files(row, data):
    """The recipe files that a row adds, and those of its small form."""
    method, width, rate, without = _ROW.fullmatch(row).groups()
    files, small = [f"network_pruning_width_{width}"], ["small", "small_network_pruning"]
    if method is None:
        return tuple(files), tuple(small)
    method = method.lower()
    early = method == "dsd" and (width == "32" or data == "tiered_imagenet")
    phases = f"{method}_early" if early else method
    files += [f"network_pruning_{phases}", f"network_pruning_rate_{rate}"]
    ablation = without and f"no_{without}_{method}"
    if without == "retraining":
        files.append("network_pruning_no_retraining")
    elif without:
        files.append(f"network_pruning_{ablation}")
    small.append(f"small_network_pruning_{ablation or phases}")
    return tuple(files), tuple(small)


def _table(number, caption, printed, data="mini_imagenet", remark=""):
    rows = [re.split(r" +\d+\.", line)[0] for line in printed.strip().splitlines()]
    found = {row: _files(row, data) for row in rows}
    small = dict(found.values())
    columns = {f"5-way {shot}-shot": f"network_pruning_{data}_{shot}shot" for shot in (1, 5)}
    return read_table(
        number,
        caption,
        f"{_REMARK}{remark}",
        printed,
        {row: files for row, (files, _) in found.items()},
        columns,
        lambda files: small[files[1:]],
    )


def _recipe(row, shot=1):
    files, small = _files(row, "mini_imagenet")
    return Recipe((f"network_pruning_mini_imagenet_{shot}shot", *files), small)


def _with_phases(row, phases):
    """A row's recipe with phases of other lengths."""
    files, small = _recipe(row)
    return Recipe(
        (*files, f"network_pruning_{phases}"), (*small, f"small_network_pruning_{phases}")
    )


def _gaps(method, shot):
    rates = {
        f"{rate} %": _recipe(f"{method}+Reptile 64 {rate}%", shot) for rate in (10, 20, 30, 40)
    }
    runs = {"0 %": _recipe("Reptile 64", shot), **rates}
    return Panel(f"figure1_{method.lower()}_{shot}shot", "gap", runs)


def _lengths(figure, method, values, over):
    row = f"{method}+Reptile 64 40%"
    runs = {str(value): _with_phases(row, f"{figure}_{value}") for value in values}
    return Panel(figure, "sensitivity", runs, (f"--over={over}",))


_FIGURES = (
    Figure(
        1,
        "Accuracy on training and on test classes at pruning rates from 0 to 40 %, 64 channels",
        "Left: DSD, right: IHT.",
        tuple(_gaps(method, shot) for method in ("DSD", "IHT") for shot in (1, 5)),
    ),
    Figure(
        2,
        "The same without retraining, 64 channels",
        "The paper names neither rate nor shots: 40 % as in Table 3, 1-shot.",
        (
            Panel(
                "figure2",
                "gap",
                {
                    "Reptile": _recipe("Reptile 64"),
                    **{
                        f"{method} without retraining": _recipe(
                            f"{method}+Reptile 64 40% without retraining"
                        )
                        for method in ("DSD", "IHT")
                    },
                },
            ),
        ),
    ),
    Figure(
        3,
        "DSD: the number of steps of pre-training and of retraining",
        "The paper's text names no values, channels or rates: 64 channels, 40 %, 1-shot.",
        (
            _lengths("figure3a", "DSD", (10, 30, 50), "dense"),
            _lengths("figure3b", "DSD", (10, 30, 50), "retrain"),
        ),
    ),
    Figure(
        4,
        "IHT: the share of sparse steps in an interval, and the length of intervals",
        "64 channels, 40 %, 1-shot.",
        (
            _lengths("figure4a", "IHT", (25, 50, 75), "ratio"),
            _lengths("figure4b", "IHT", (5, 10, 20), "interval"),
        ),
    ),
)

PAPER = Paper(
    "network_pruning",
    "Tian et al., Meta-Learning with Network Pruning",
    (
        _table(1, "Results on mini-ImageNet under varying numbers of channels", _TABLE_1),
        _table(2, "Results on tiered-ImageNet", _TABLE_2, "tiered_imagenet"),
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
            {f"5-way {shot}-shot": f"network_pruning_table4_{shot}shot" for shot in (1, 5)},
            lambda files: ("small", *(_SMALL_4[file] for file in files if file in _SMALL_4)),
        ),
    ),
    _FIGURES,
)
