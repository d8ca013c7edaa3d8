"""Commands: `python -m launch.train`, `launch.evaluate`, `launch.export`."""

import os

# TensorFlow's C++ notes on start-up would bury the first screen. Errors still show.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
