"""What `launch.analyze` can do, one analysis a file."""
