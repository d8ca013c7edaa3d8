"""The modes of batch normalization for queries."""

TRANSDUCTIVE = "transductive"
SUPPORT = "support"
RUNNING = "running"
ONE_BY_ONE = "one_by_one"

MODES = (TRANSDUCTIVE, SUPPORT, RUNNING, ONE_BY_ONE)


def check_mode(mode: str) -> str:
    """Refuses unknown modes.

    Args:
        mode: "transductive": the statistics of the query batch, as the papers do. "support": those
            of the support set at the adapted weights, which is what a deployed model can do, one
            query at a time. "running": averages over the training tasks' query batches.
            "one_by_one": each query is appended to the support set, and their common statistics
            serve it (Reptile's "non-transductive"); as often as there are queries the support set
            is computed again. In training it is "transductive".

    Returns:
        The mode.

    Raises:
        ValueError: it is none of these.
    """
    if mode not in MODES:
        raise ValueError(f"`statistics` must be one of {MODES}. Received: {mode!r}.")
    return mode


def check_stagewise(mode: str) -> str:
    """Refuses modes in which a network can't be computed stage by stage.

    Args:
        mode: as in `check_mode`.

    Returns:
        The mode.

    Raises:
        ValueError: it is "one_by_one", in which each query goes through the whole network together
            with the support set, or none of the modes.
    """
    if check_mode(mode) == ONE_BY_ONE:
        raise ValueError(
            "Features of single stages need queries that go through the network together: use "
            f"statistics='transductive' or 'support'. Received: statistics={mode!r}."
        )
    return mode
