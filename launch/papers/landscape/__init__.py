"""The landscape paper, "Towards Understanding Generalization in Gradient-Based Meta-Learning"."""

from launch.papers.landscape.figures import FIGURES
from launch.papers.landscape.tables import TABLES
from launch.papers.paper import Paper

PAPER = Paper(
    "landscape",
    "Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning",
    TABLES,
    FIGURES,
)
