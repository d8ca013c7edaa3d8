"""The Meta-ticket paper: its tables and figures."""

from launch.papers.meta_ticket.figures import FIGURES
from launch.papers.meta_ticket.tables import TABLES
from launch.papers.paper import Paper

PAPER = Paper(
    "meta_ticket",
    "Chijiwa et al., Meta-ticket: Finding Optimal Subnetworks for Few-shot Learning within "
    "Randomly Initialized Neural Networks",
    TABLES,
    FIGURES,
)
