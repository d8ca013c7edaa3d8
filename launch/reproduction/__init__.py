"""What `python -m launch.reproduce` knows of the papers, and how it gets their numbers."""
