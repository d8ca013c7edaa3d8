"""The landscape paper. It has no tables."""

from launch.papers.landscape.figures import FIGURES
from launch.papers.paper import Paper

PAPER = Paper(
    "landscape",
    "Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning",
    (),
    FIGURES,
)
