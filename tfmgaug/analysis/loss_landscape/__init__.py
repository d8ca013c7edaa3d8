"""Landscape of support losses: curvature, trajectories and gradients, the report, the figures."""
