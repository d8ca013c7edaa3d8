"""Tables 1 and 2 of the MGAug paper, as printed."""

from launch.papers.mgaug.experiments import recipe, scaled
from launch.papers.paper import read_table

# The data, shots and backbone of each column.
_COLUMNS = {
    "CUB 5-way 1-shot Conv-4": ("cub", 1, "conv4"),
    "CUB 5-way 1-shot ResNet-10": ("cub", 1, "resnet10"),
    "CUB 5-way 5-shot Conv-4": ("cub", 5, "conv4"),
    "CUB 5-way 5-shot ResNet-10": ("cub", 5, "resnet10"),
    "miniImageNet 5-way 1-shot Conv-4": ("mini_imagenet", 1, "conv4"),
    "miniImageNet 5-way 1-shot ResNet-10": ("mini_imagenet", 1, "resnet10"),
    "miniImageNet 5-way 5-shot Conv-4": ("mini_imagenet", 5, "conv4"),
    "miniImageNet 5-way 5-shot ResNet-10": ("mini_imagenet", 5, "resnet10"),
}
# What each row adds to its baseline.
_AUG = {"+ Aug": "aug"}
_MGAUG = {"+ MGAug-WP": "wp", "+ MGAug-PP": "pp", "+ MGAug-CP": "cp"}
_ROWS_1 = {"ProtoNet": None, **_AUG, "+ TaskAug": "taskaug", "+ Meta-MaxUp": "maxup", **_MGAUG}
_ROWS_2 = {
    "FoMAML": None,
    **_AUG,
    "+ MR": "mr",
    "+ TAML": "taml",
    "+ GradDrop": "graddrop",
    "+ MetaMix": "metamix",
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
    "The paper's ± is one standard error by its text and 1.96 of them by its code, {fits}. "
    "Its statistics are transductive. Every row but the first has Aug."
)


def _table(number, learner, name, printed, rows, fits):
    return read_table(
        number,
        f"Classification accuracy with the {name} baseline",
        _REMARK.format(fits=fits),
        printed,
        rows,
        _COLUMNS,
        lambda row, column: recipe(number, learner, *column, row),
    )


TABLES = (
    _table(
        1,
        "protonet",
        "ProtoNet",
        _TABLE_1,
        _ROWS_1,
        "over 600 tasks",
    ),
    _table(
        2,
        "fomaml",
        "FoMAML",
        _TABLE_2,
        _ROWS_2,
        "over 600 batches of 4 tasks: its numbers are 1.96 std / sqrt(600) of the batches' means, "
        "which is about half of our interval over 600 tasks",
    ),
)

# Every cell with the text's random scaling of all runs, which Meta-MaxUp doesn't allow.
SCALED = tuple(
    scaled(number, learner, *column, row)
    for number, learner, rows in ((1, "protonet", _ROWS_1), (2, "fomaml", _ROWS_2))
    for row in rows.values()
    if row != "maxup"
    for column in _COLUMNS.values()
)
