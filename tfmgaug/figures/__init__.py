"""Figures of runs and analyses."""

from tfmgaug.analysis.attention_maps.figure import attention_grid
from tfmgaug.analysis.fine_tuning_curves import fine_tuning_curves
from tfmgaug.analysis.first_layer_masks import input_mask_grid
from tfmgaug.analysis.importance_histogram.figure import importance_histogram
from tfmgaug.analysis.loss_landscape.figure import landscape_correlation, landscape_curves
from tfmgaug.analysis.memorized_accuracy import hat_graph
from tfmgaug.analysis.representation import representation_profile
from tfmgaug.analysis.task_gradients import gradient_norms
from tfmgaug.drawing.style import save
from tfmgaug.figures.curves import training_curves
from tfmgaug.figures.episodes import episode_grid
from tfmgaug.figures.pruning import gap_curves, sensitivity_curves
from tfmgaug.figures.runs import run_curves
from tfmgaug.figures.sparsity import sparsity_curves
from tfmgaug.figures.steps import accuracy_per_step
from tfmgaug.figures.widths import accuracy_against_width

__all__ = [
    "accuracy_against_width",
    "accuracy_per_step",
    "attention_grid",
    "episode_grid",
    "fine_tuning_curves",
    "gap_curves",
    "gradient_norms",
    "hat_graph",
    "importance_histogram",
    "input_mask_grid",
    "landscape_correlation",
    "landscape_curves",
    "representation_profile",
    "run_curves",
    "save",
    "sensitivity_curves",
    "sparsity_curves",
    "training_curves",
]
