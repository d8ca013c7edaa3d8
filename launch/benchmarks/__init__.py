"""The benchmark: workloads of `python -m launch.benchmark`, and the peers to compare with."""
