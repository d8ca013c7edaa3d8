"""The flags of earlier versions: what runs that were started with them did."""


def translated(saved):
    """Translates the flags of a run into those of this version.

    Args:
        saved: dictionary, of the run's flags.json, by this or an earlier version.

    Returns:
        A dictionary.
    """
    saved = dict(saved)
    if saved.get("learner") == "reptile" and saved.get("inner_optimizer") is None:
        saved["inner_optimizer"] = "sgd"  # which was the default; now it is Reptile's own
    return saved
