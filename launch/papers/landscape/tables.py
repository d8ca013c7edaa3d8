"""The accuracies that the text of the landscape paper gives."""

from launch.papers.landscape.experiments import maml
from launch.papers.paper import IN_TEXT, Cell, Published, Table

_SETTING = ("omniglot", 20, 1)
_COLUMN = "Omniglot 20-way 1-shot"

TABLES = (
    Table(
        IN_TEXT,
        "Section 6, regularized MAML",
        "The paper: average over five trials, 600 test tasks each (--seeds=0,1,2,3,4).",
        ("MAML", "regularized MAML"),
        (_COLUMN,),
        (
            Cell("MAML", _COLUMN, maml(*_SETTING), Published(94.05, None)),
            Cell("regularized MAML", _COLUMN, maml(*_SETTING, "coherence"), Published(95.38, None)),
        ),
    ),
)
