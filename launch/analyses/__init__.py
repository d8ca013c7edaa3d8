"""The analyses of `launch.analyze`, a file for each."""
