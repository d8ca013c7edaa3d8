"""Learners whose outer loop learns a part of what their backbone could learn."""


class PartLearned:
    """Lets Keras count as trainable what the outer loop learns, and the rest as not.

    To be inherited before a `MetaLearner`. Weights that are not meta-learned still are trainable
    variables of the backbone, or they could not adapt.
    """

    @property
    def trainable_variables(self):
        return self.meta_variables

    @property
    def trainable_weights(self):
        return self.meta_variables

    @property
    def non_trainable_variables(self):
        return without(self.variables, self.meta_variables)

    @property
    def non_trainable_weights(self):
        return without(self.weights, self.meta_variables)


def without(variables, left_out):
    """Returns the variables that are not among those left out."""
    left_out = {variable.path for variable in left_out}
    return [variable for variable in variables if variable.path not in left_out]


def fixed(learner, kwargs, **settings):
    """Fixes settings of a learner's base class, which a saved configuration may name again.

    Args:
        learner: the learner that is being built.
        kwargs: dictionary of arguments for the base class.
        **settings: what the arguments must be.

    Returns:
        The arguments with the settings.

    Raises:
        ValueError: one of them is something else.
    """
    for name, value in settings.items():
        if kwargs.get(name, value) != value:
            raise ValueError(
                f"{type(learner).__name__} is MAML with {name}={value!r}: build another learner for "
                f"another {name}. Received: {name}={kwargs[name]!r}."
            )
    return {**kwargs, **settings}


def refuse_meta_gradient_scores(augmentation, reason):
    """Refuses masks that score weights by the meta-gradient.

    Args:
        augmentation: `MGAug` or None.
        reason: why a learner has none to score by.

    Raises:
        ValueError: the mask does.
    """
    if augmentation is not None and augmentation.mask.score == "meta_gradient":
        raise ValueError(
            f"{reason} Use score='query_loss'. "
            f"Received: {type(augmentation.mask).__name__}(score='meta_gradient')."
        )
