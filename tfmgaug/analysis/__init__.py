"""What a trained learner does: memory, fine-tuning, importance, attention, bounds, gradients."""

from tfmgaug.analysis.attention import Attention, attention
from tfmgaug.analysis.correlation import Correlation, pearson, spearman
from tfmgaug.analysis.fine_tuning import fine_tuning
from tfmgaug.analysis.gradient_check import GradientCheck, check_gradients
from tfmgaug.analysis.gradient_coherence import GradientCoherenceMeter
from tfmgaug.analysis.importance import Importance, importance
from tfmgaug.analysis.landscape import LandscapeMeter, landscape
from tfmgaug.analysis.landscape_report import Landscape
from tfmgaug.analysis.memorization import memorization
from tfmgaug.analysis.pac_bayes import PacBayesBound, pac_bayes_bound
from tfmgaug.analysis.precision import in_float64
from tfmgaug.analysis.report import Network, SubnetworkReport

__all__ = [
    "Attention",
    "Correlation",
    "GradientCheck",
    "GradientCoherenceMeter",
    "Importance",
    "Landscape",
    "LandscapeMeter",
    "Network",
    "PacBayesBound",
    "SubnetworkReport",
    "attention",
    "check_gradients",
    "fine_tuning",
    "importance",
    "in_float64",
    "landscape",
    "memorization",
    "pac_bayes_bound",
    "pearson",
    "spearman",
]
