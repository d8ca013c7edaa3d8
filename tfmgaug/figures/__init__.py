from tfmgaug.figures.curves import training_curves
from tfmgaug.figures.episodes import episode_grid
from tfmgaug.figures.steps import accuracy_per_step
from tfmgaug.figures.style import save

__all__ = ["accuracy_per_step", "episode_grid", "save", "training_curves"]
