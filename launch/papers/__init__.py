"""The papers whose tables and figures can be rerun: their experiments and published numbers."""
