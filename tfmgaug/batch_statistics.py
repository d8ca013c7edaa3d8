"""Which statistics batch normalization uses for queries, by name."""

TRANSDUCTIVE = "transductive"
SUPPORT = "support"
RUNNING = "running"

MODES = (TRANSDUCTIVE, SUPPORT, RUNNING)


def check_mode(mode):
    """Refuses unknown modes.

    Args:
        mode: "transductive": the statistics of the query batch, as the papers do. "support": those
            of the support set at the adapted weights, which is what a deployed model can do, one
            query at a time. "running": averages over the training tasks' query batches.

    Returns:
        The mode.

    Raises:
        ValueError: it is none of these.
    """
    if mode not in MODES:
        raise ValueError(f"`statistics` must be one of {MODES}. Received: {mode!r}.")
    return mode
