"""Honest evaluation of learners."""

from tfmgaug.evaluation.comparison import Comparison, compare
from tfmgaug.evaluation.evaluator import evaluate
from tfmgaug.evaluation.floor import pixel_floor
from tfmgaug.evaluation.intervals import half_width
from tfmgaug.evaluation.report import Report
from tfmgaug.evaluation.summary import Summary, summarize

__all__ = [
    "Comparison",
    "Report",
    "Summary",
    "compare",
    "evaluate",
    "half_width",
    "pixel_floor",
    "summarize",
]
