"""The commands: `python -m launch.train`, and evaluate, analyze, export, reproduce, benchmark.

A command defines and checks its flags without importing TensorFlow, so that a wrong one is
answered at once. Its work is in `launch/jobs/`.
"""

from launch import environment

environment.prepare()
