"""Attention of a network and its sub-networks: Grad-CAM, its report and its figure."""
