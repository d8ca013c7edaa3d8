"""Analyses of a trained learner: memory, adaptation, importance, attention, bounds, gradients."""

from tfmgaug.analysis.attention_maps.grad_cam import attention
from tfmgaug.analysis.attention_maps.report import Attention
from tfmgaug.analysis.capacity import CapacityOrder, capacity_order
from tfmgaug.analysis.cka import linear_cka
from tfmgaug.analysis.fine_tuning_curves import fine_tuning
from tfmgaug.analysis.first_layer_masks import input_masks
from tfmgaug.analysis.gradient_check import GradientCheck, check_gradients
from tfmgaug.analysis.importance_histogram.mmca import importance
from tfmgaug.analysis.importance_histogram.report import Importance
from tfmgaug.analysis.layer_report import LayerReport
from tfmgaug.analysis.loss_landscape.correlation import Correlation, pearson, spearman
from tfmgaug.analysis.loss_landscape.gradient_coherence import GradientCoherenceMeter
from tfmgaug.analysis.loss_landscape.meter import LandscapeMeter, landscape
from tfmgaug.analysis.loss_landscape.report import Landscape
from tfmgaug.analysis.memorized_accuracy import memorization
from tfmgaug.analysis.pac_bayes import PacBayesBound, pac_bayes_bound
from tfmgaug.analysis.precision import in_float64
from tfmgaug.analysis.representation import representation_change
from tfmgaug.analysis.subnetwork_report import Network, SubnetworkReport
from tfmgaug.analysis.task_gradients import TaskGradients, last_feature_weight

__all__ = [
    "Attention",
    "CapacityOrder",
    "Correlation",
    "GradientCheck",
    "GradientCoherenceMeter",
    "Importance",
    "LayerReport",
    "Landscape",
    "LandscapeMeter",
    "Network",
    "PacBayesBound",
    "SubnetworkReport",
    "TaskGradients",
    "attention",
    "capacity_order",
    "check_gradients",
    "fine_tuning",
    "importance",
    "in_float64",
    "input_masks",
    "landscape",
    "last_feature_weight",
    "linear_cka",
    "memorization",
    "pac_bayes_bound",
    "pearson",
    "representation_change",
    "spearman",
]
