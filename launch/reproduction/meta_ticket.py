"""The Meta-ticket paper: Tables 1 and 2 as printed, and the runs behind its figures."""

from launch.reproduction.paper import Figure, Panel, Paper, Recipe, read_table

_CIFAR_FS, _FLOWERS = "meta_ticket_table1_cifar_fs", "meta_ticket_table1_vgg_flowers"
_RESNET12, _WIDE = "meta_ticket_table2_resnet12", "meta_ticket_table2_wide_resnet"
_SCORES = ("with_meta_ticket", "with_meta_ticket_boil")

# The recipe of the training, and where its run is tested if not on its own test classes.
_COLUMNS_1 = {
    "train-CIFAR-FS test-CIFAR-FS": _CIFAR_FS,
    "train-CIFAR-FS test-VGG-Flower": (_CIFAR_FS, "vgg_flowers"),
    "train-CIFAR-FS test-Aircraft": (_CIFAR_FS, "aircraft"),
    "train-VGG-Flower test-CIFAR-FS": (_FLOWERS, "cifar_fs"),
    "train-VGG-Flower test-VGG-Flower": _FLOWERS,
    "train-VGG-Flower test-Aircraft": (_FLOWERS, "aircraft"),
}
_COLUMNS_2 = {
    "ResNet-12 test-miniImageNet": _RESNET12,
    "ResNet-12 test-CUB": (_RESNET12, "cub"),
    "ResNet-12 test-Cars": (_RESNET12, "cars"),
    "WideResNet-28-10 test-miniImageNet": _WIDE,
    "WideResNet-28-10 test-CUB": (_WIDE, "cub"),
    "WideResNet-28-10 test-Cars": (_WIDE, "cars"),
}
_MAML = {"MAML": (), "ANIL": ("with_anil",), "BOIL": ("with_boil",)}
_ROWS_1 = {
    **_MAML,
    "Meta-ticket": ("with_meta_ticket", "with_warmup_100"),
    "+ BOIL": ("with_meta_ticket_boil", "with_warmup_100"),
}
_ROWS_2 = {**_MAML, "Meta-ticket": _SCORES[:1], "+ BOIL": _SCORES[1:]}

# Columns as above.
_TABLE_1 = """
MAML         53.48±0.36 58.60±0.59 28.95±0.76 36.67±0.86 59.16±0.69 28.50±0.75
ANIL         50.37±0.68 53.32±0.62 26.86±0.77 34.94±1.14 58.87±1.30 27.07±0.73
BOIL         55.47±1.13 62.46±0.15 33.36±0.84 36.49±0.98 58.15±0.86 28.74±0.97
Meta-ticket  55.51±0.47 62.34±0.17 31.85±0.31 40.82±0.43 64.09±0.28 30.60±0.63
+ BOIL       56.06±0.57 63.31±0.07 33.02±0.32 42.56±0.41 65.69±0.20 33.86±0.36
"""
_TABLE_2 = """
MAML         67.47±1.31 54.44±0.23 43.68±1.44 62.83±2.47 46.46±3.54 37.09±2.49
ANIL         66.88±1.59 53.90±1.17 40.87±3.95 63.01±0.82 46.65±0.20 37.51±1.95
BOIL         69.67±0.66 58.79±1.48 47.11±1.10 65.82±5.26 55.92±0.78 42.08±0.50
Meta-ticket  71.31±0.29 57.97±0.53 45.90±0.50 74.63±0.22 63.26±0.86 52.54±0.70
+ BOIL       74.23±0.30 64.06±1.05 55.20±0.64 73.55±0.17 62.19±0.69 51.41±0.83
"""
_REMARK = (
    "The paper doesn't say what its ± is: over the three seeds of its code, by their size. Compare "
    "it with the column over seeds (--seeds=0,1,2). Its code tests the last weights, ours are "
    "those of the best validation. {more}"
)

# What a recipe file changes in the small form, beside meta_ticket_small.
_SMALL = {
    _CIFAR_FS: "meta_ticket_small_mlp",
    _FLOWERS: "meta_ticket_small_mlp",
    _RESNET12: "meta_ticket_small_resnet12",
    _WIDE: "meta_ticket_small_wide_resnet",
    **dict.fromkeys(_SCORES, "meta_ticket_small_scores"),
    "with_iterand": "meta_ticket_small_iterand",
    "meta_ticket_figure4": "meta_ticket_small_constant",
}


def _small(files):
    return ("meta_ticket_small", *(_SMALL[file] for file in files if file in _SMALL))


def _recipe(*files):
    return Recipe(files, _small(files))


def _widths(way):
    """The curves of one panel of Figure 3, each of width factors 1, 2, 4 and 8."""
    curves = {
        "MAML": (),
        "Meta-ticket": _SCORES[:1],
        "Meta-ticket + IteRand": (*_SCORES[:1], "with_iterand"),
    }
    wider = ((), ("with_width_2",), ("with_width_4",), ("with_width_8",))
    return {
        name: [_recipe(f"meta_ticket_figure3_{way}way", *files, *width) for width in wider]
        for name, files in curves.items()
    }


def _rates():
    """Figure 2: MAML and Meta-ticket, each with three inner learning rates."""
    rates = {"0.1": ("with_inner_rate_0_1",), "0.5": (), "1": ("with_inner_rate_1",)}
    learners = {"MAML": _ROWS_1["MAML"], "Meta-ticket": _ROWS_1["Meta-ticket"]}
    return {
        f"{name} {rate}": _recipe(_CIFAR_FS, *files, *own)
        for name, files in learners.items()
        for rate, own in rates.items()
    }


_CONSTANT = _recipe("meta_ticket_figure3_5way", "meta_ticket_figure4")
_FIGURES = (
    Figure(1, "A subnetwork that adapts to tasks", "A drawing: it shows no data."),
    Figure(
        2,
        "Mean absolute task gradient of the last feature layer, 5-layer MLP on CIFAR-FS",
        "The paper doesn't print its inner learning rates: 0.1, 0.5 (that of Table 1) and 1.",
        (Panel("figure2", "gradient_norms", _rates()),),
    ),
    Figure(
        3,
        "Accuracy on Omniglot 5-shot against the MLP's width factor",
        "The factors, 1 to 8, and IteRand's share, 1, are the code's.",
        (
            Panel("figure3_5way", "widths", _widths(5)),
            Panel("figure3_20way", "widths", _widths(20)),
        ),
    ),
    Figure(
        4,
        "Masks of the first layer, all weights of which are the same constant",
        "Omniglot 5-way 5-shot, three inner steps; constant and width are the code's. The text "
        "gives its accuracy: 71.59 ± 1.51.",
        (Panel("figure4", "input_masks", {"Meta-ticket": _CONSTANT}),),
    ),
)

PAPER = Paper(
    "meta_ticket",
    "Chijiwa et al., Meta-ticket: Finding Optimal Subnetworks for Few-shot Learning within "
    "Randomly Initialized Neural Networks",
    (
        read_table(
            1,
            "Cross-domain evaluation, 5-way 5-shot, 5-layer MLP, 32 x 32",
            _REMARK.format(more="Splits of VGG-Flower and Aircraft are L2B's."),
            _TABLE_1,
            _ROWS_1,
            _COLUMNS_1,
            _small,
        ),
        read_table(
            2,
            "Cross-domain evaluation, 5-way 5-shot, trained on miniImageNet, 84 x 84",
            _REMARK.format(
                more="It cuts cars out by their boxes and birds by the center, which ours doesn't: "
                "both are resized whole."
            ),
            _TABLE_2,
            _ROWS_2,
            _COLUMNS_2,
            _small,
        ),
    ),
    _FIGURES,
)
