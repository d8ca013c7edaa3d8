"""The engine: what one task and one batch of tasks go through, whatever the method."""
