"""The MGAug paper: the numbers of Tables 1 and 2 as printed, and the runs behind its figures."""

from launch.reproduction.paper import Figure, Panel, Paper, Recipe, read_table

_COLUMNS = {
    "CUB 5-way 1-shot Conv-4": "cub_1shot_conv4",
    "CUB 5-way 1-shot ResNet-10": "cub_1shot_resnet10",
    "CUB 5-way 5-shot Conv-4": "cub_5shot_conv4",
    "CUB 5-way 5-shot ResNet-10": "cub_5shot_resnet10",
    "miniImageNet 5-way 1-shot Conv-4": "mini_imagenet_1shot_conv4",
    "miniImageNet 5-way 1-shot ResNet-10": "mini_imagenet_1shot_resnet10",
    "miniImageNet 5-way 5-shot Conv-4": "mini_imagenet_5shot_conv4",
    "miniImageNet 5-way 5-shot ResNet-10": "mini_imagenet_5shot_resnet10",
}
_AUG = {"+ Aug": ("with_aug",)}


def _mgaug(mask):
    """The files that a row with MGAug adds to those of its column."""

    def added(column):
        backbone = column.rpartition("_")[2]
        return (f"with_mgaug_{mask.lower()}", f"mgaug_resolutions_{backbone}")

    return added


_MGAUG = {f"+ MGAug-{mask}": _mgaug(mask) for mask in ("WP", "PP", "CP")}
_ROWS_1 = {
    "ProtoNet": (),
    **_AUG,
    "+ TaskAug": ("with_taskaug",),
    "+ Meta-MaxUp": ("with_maxup",),
    **_MGAUG,
}
_ROWS_2 = {
    "FoMAML": (),
    **_AUG,
    "+ MR": ("with_mr",),
    "+ TAML": ("with_taml",),
    "+ GradDrop": ("with_graddrop",),
    "+ MetaMix": ("with_metamix",),
    **_MGAUG,
}

# Columns as in _COLUMNS.
_TABLE_1 = """
ProtoNet      45.26±0.90 50.29±0.89 66.25±0.71 71.41±0.67 31.37±0.62 43.54±0.80 65.10±0.72 63.29±0.67
+ Aug         55.18±0.97 71.61±0.87 75.93±0.67 84.26±0.53 44.79±0.82 51.65±0.83 65.98±0.72 74.02±0.65
+ TaskAug     57.64±0.97 73.44±0.89 78.21±0.65 85.78±0.50 42.55±0.78 56.33±0.89 63.97±0.76 74.79±0.65
+ Meta-MaxUp  59.79±0.90 75.20±0.85 78.86±0.57 86.02±0.42 45.47±0.82 57.52±0.82 66.22±0.72 74.83±0.60
+ MGAug-WP    62.35±0.97 76.30±0.88 79.57±0.62 85.19±0.49 46.79±0.84 57.87±0.86 67.31±0.70 74.26±0.64
+ MGAug-PP    61.28±0.98 76.01±0.88 79.06±0.61 85.74±0.49 47.68±0.83 55.26±0.86 67.84±0.71 75.53±0.64
+ MGAug-CP    63.00±0.95 78.57±0.92 80.33±0.62 87.09±0.46 48.77±0.86 58.32±0.86 67.99±0.73 75.77±0.63
"""  # noqa: E501  as printed
_TABLE_2 = """
FoMAML        53.21±0.48 54.69±0.51 69.08±0.39 64.49±0.43 43.50±0.39 46.79±0.46 59.28±0.38 57.86±0.39
+ Aug         53.98±0.48 68.14±0.50 73.66±0.36 78.17±0.36 44.41±0.40 52.16±0.47 60.82±0.38 66.93±0.38
+ MR          56.11±0.54 69.54±0.52 74.73±0.45 79.26±0.40 44.57±0.41 52.65±0.56 61.15±0.38 68.20±0.51
+ TAML        55.64±0.85 70.22±0.81 75.39±0.74 78.72±0.69 45.72±0.30 51.78±0.53 61.93±0.36 67.01±0.77
+ GradDrop    55.39±0.51 69.03±0.52 74.88±0.38 80.59±0.34 45.57±0.37 52.30±0.47 62.35±0.38 67.33±0.38
+ MetaMix     57.53±0.53 70.38±0.44 76.24±0.44 80.83±0.35 46.06±0.44 53.32±0.49 62.86±0.38 68.81±0.41
+ MGAug-WP    56.85±0.50 70.73±0.46 75.89±0.42 81.53±0.44 45.65±0.32 52.97±0.45 61.34±0.40 67.53±0.39
+ MGAug-PP    55.35±0.47 71.17±0.47 76.16±0.36 81.47±0.35 45.77±0.30 54.53±0.45 62.10±0.41 68.95±0.38
+ MGAug-CP    58.19±0.49 72.14±0.51 76.28±0.35 81.97±0.33 45.95±0.41 54.70±0.46 62.41±0.40 69.27±0.38
"""  # noqa: E501  as printed

_REMARK = (
    "The paper's ± is one standard error by its text and 1.96 of them by its code; {fits}. "
    "Its statistics are transductive. Every row but the first has Aug."
)


def _table(number, learner, printed, rows, fits):
    return read_table(
        number,
        f"Classification accuracy with the {learner} baseline",
        _REMARK.format(fits=fits),
        printed,
        rows,
        {label: f"mgaug_table{number}_{family}" for label, family in _COLUMNS.items()},
        _small,
    )


def _small(files):
    inner = ("small_inner_rate",) if "table2" in files[0] else ()
    scaled = any(file.startswith("mgaug_resolutions") for file in files)
    return ("small", *inner, *(("small_resolutions",) if scaled else ()))


def _recipe(*files):
    return Recipe(files, _small(files))


def _fomaml(column, *files):
    return _recipe(f"mgaug_table2_{column}", *files)


def _augmented(column, mask, *files):
    return _fomaml(column, *_mgaug(mask)(column), *files)


def _started(epoch):
    """Figure 6: MGAug from an epoch of 1600 on, or a quarter of that later in the small form."""
    small = () if epoch == 0 else (f"small_from_{epoch // 400}_quarter",)
    column = "mgaug_table1_cub_5shot_conv4"
    files = (column, *_mgaug("CP")(column), f"mgaug_figure6_from_{epoch}")
    return Recipe(files, (*_small(files), *small))


def _curves(column):
    return {
        "FoMAML": _fomaml(column),
        "+ Aug": _fomaml(column, "with_aug"),
        "+ MGAug": _augmented(column, "CP"),
    }


_CUB_CONV4, _CUB_RESNET10 = "cub_1shot_conv4", "cub_1shot_resnet10"
_CP = {"MGAug-CP": _augmented(_CUB_RESNET10, "CP")}
_FIGURES = (
    Figure(1, "The four steps of a meta-update", "A drawing: it shows no data."),
    Figure(
        2,
        "MMCA distribution of the last layer in Conv-4, at a pruning rate of 20 %",
        "The paper names neither learner nor data: FOMAML with MGAug-CP on CUB, 1-shot.",
        (
            Panel(
                "figure2",
                "importance",
                {"MGAug-CP": _augmented(_CUB_CONV4, "CP")},
                ("--rates=0.2",),
            ),
        ),
    ),
    Figure(
        3,
        "Loss and accuracy of FoMAML, Aug and MGAug, ResNet-10, mini-ImageNet and CUB",
        "The paper doesn't name the shots: 1-shot.",
        (
            Panel("figure3_mini_imagenet", "curves", _curves("mini_imagenet_1shot_resnet10")),
            Panel("figure3_cub", "curves", _curves(_CUB_RESNET10)),
        ),
    ),
    Figure(
        4,
        "Hat graphs of the accuracy on 100 tasks: WP, PP, CP, and CP on NME tasks; CUB, ResNet-10",
        "The paper doesn't name the shots: 1-shot. (d) is on tasks of the training classes: others "
        "have no label that could be known by heart.",
        (
            Panel(
                "figure4_abc",
                "hat",
                {f"MGAug-{mask}": _augmented(_CUB_RESNET10, mask) for mask in ("WP", "PP", "CP")},
                ("--episodes=100",),
            ),
            Panel(
                "figure4_d",
                "hat",
                {"MGAug-CP NME": _augmented(_CUB_RESNET10, "CP", "nme")},
                ("--episodes=100", "--test_classes=train"),
            ),
        ),
    ),
    Figure(
        5,
        "Fine-tuning with and without catfish pruning, and from a random initialization",
        "The paper names no data: as in Figure 4, CUB 1-shot, ResNet-10.",
        (Panel("figure5", "finetuning", _CP, ("--episodes=100",)),),
    ),
    Figure(
        6,
        "Accuracy of training with catfish pruning from epochs 0, 400, 800 and 1200 on",
        "ProtoNet, CUB 5-shot. The paper doesn't name the backbone: Conv-4. 1600 epochs, by its "
        "text: twice those of Table 1.",
        (
            Panel(
                "figure6",
                "curves",
                {
                    "+ Aug": _recipe(
                        "mgaug_table1_cub_5shot_conv4", "with_aug", "mgaug_figure6_never"
                    ),
                    **{f"MGAug from {e}": _started(e) for e in (0, 400, 800, 1200)},
                },
            ),
        ),
    ),
    Figure(
        7,
        "Grad-CAM of the full network and of pruned ones",
        "The paper doesn't say of which run: CUB 1-shot, ResNet-10, MGAug-CP.",
        (Panel("figure7", "attention", _CP),),
    ),
)

PAPER = Paper(
    "mgaug",
    "Wang et al., Improving Generalization in Meta-Learning via Meta-Gradient Augmentation",
    (
        _table(
            1,
            "ProtoNet",
            _TABLE_1,
            _ROWS_1,
            "here it fits 1.96 (12 points of standard deviation between tasks)",
        ),
        _table(
            2,
            "FoMAML",
            _TABLE_2,
            _ROWS_2,
            "here it fits one (12 points of standard deviation between tasks)",
        ),
    ),
    _FIGURES,
)
