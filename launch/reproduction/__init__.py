"""The work of `python -m launch.reproduce`: planning, training and comparing a paper's runs."""
