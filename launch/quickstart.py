"""The recipe of the main job: what it sets beyond constructors' defaults.

`QUICKSTART` lies under the flags that are given: whoever gives a flag overrides it. `DEPENDENT`
are values that go together with a choice: 16 filters in Conv-4, and the authors' rates of the
catfish mask for ProtoNet. Both hold for all recipes that don't say otherwise.
"""

# Flags and their values.
QUICKSTART = {
    "learner": "fomaml",
    "backbone": "conv4",
    "mask": "catfish",
    "optimizer": "adam",
    "schedule": "constant",
    "learning_rate": 2e-3,
    "inner_steps": 5,
    "inner_learning_rate": 0.1,
    "inner_beta_1": 0.0,
}

# Flags, and their values by what is chosen: the first row whose choices all hold.
DEPENDENT = {
    "context": (
        (100, {"learner": "cavia", "backbone": "conv4"}),  # its authors', on mini-ImageNet
        (5, {"learner": "cavia", "backbone": "mlp"}),  # on sinusoids
    ),
    "filters": ((16, {"backbone": "conv4"}),),
    # Lee et al. keep all positions apart.
    "global_pooling": ((False, {"learner": "metaoptnet", "backbone": "resnet12"}),),
    "mask_rates": ((("0.01", "0.03"), {"learner": "protonet", "mask": "catfish"}),),
}


def dependent(name, choices):
    """Returns the value of a flag that goes together with choices.

    Args:
        name: of the flag.
        choices: dictionary from flags to their values.

    Returns:
        The value, or None: the constructor's own.
    """
    for value, needed in DEPENDENT.get(name, ()):
        if all(choices.get(flag) == chosen for flag, chosen in needed.items()):
            return value
    return None
