"""What `python -m launch.benchmark` measures, and the peers that it measures against."""
