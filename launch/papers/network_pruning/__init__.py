"""The network pruning paper: its tables and figures."""

from launch.papers.network_pruning.figures import FIGURES
from launch.papers.network_pruning.omniglot import OMNIGLOT
from launch.papers.network_pruning.tables import TABLES
from launch.papers.paper import Paper

PAPER = Paper(
    "network_pruning",
    "Tian et al., Meta-Learning with Network Pruning",
    TABLES,
    FIGURES,
    OMNIGLOT,
)
