"""The MGAug paper: its tables and figures."""

from launch.papers.mgaug.figures import FIGURES
from launch.papers.mgaug.tables import SCALED, TABLES
from launch.papers.paper import Paper

PAPER = Paper(
    "mgaug",
    "Wang et al., Improving Generalization in Meta-Learning via Meta-Gradient Augmentation",
    TABLES,
    FIGURES,
    SCALED,
)
