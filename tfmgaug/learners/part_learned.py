"""What the outer loop learns of all that a backbone could learn."""


class PartLearned:
    """Lets Keras count as trainable what the outer loop learns, and the rest as not.

    Weights that are not meta-learned still are trainable variables of the backbone, or they could
    not adapt. Their order is that of the optimizer, which averages them by their place (`use_ema`).
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
    left_out = {id(variable) for variable in left_out}
    return [variable for variable in variables if id(variable) not in left_out]
