from tfmgaug.figures.attention import attention_grid
from tfmgaug.figures.curves import training_curves
from tfmgaug.figures.episodes import episode_grid
from tfmgaug.figures.fine_tuning import fine_tuning_curves
from tfmgaug.figures.hat import hat_graph
from tfmgaug.figures.importance import importance_histogram
from tfmgaug.figures.landscape import landscape_correlation, landscape_curves
from tfmgaug.figures.runs import run_curves
from tfmgaug.figures.steps import accuracy_per_step
from tfmgaug.figures.style import save

__all__ = [
    "accuracy_per_step",
    "attention_grid",
    "episode_grid",
    "fine_tuning_curves",
    "hat_graph",
    "importance_histogram",
    "landscape_correlation",
    "landscape_curves",
    "run_curves",
    "save",
    "training_curves",
]
