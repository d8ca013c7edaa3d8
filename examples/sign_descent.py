"""Descent along the sign of the gradient: an example of a learner with an inner loop."""

import keras
import tensorflow as tf

from tfmgaug.engine.inner_loop import descend
from tfmgaug.learners import MetaLearner


@keras.saving.register_keras_serializable("examples")
class SignDescent(MetaLearner):
    """MAML's inner loop with `w <- w - rate * sign(dL_support/dw)`, first order."""

    def __init__(self, backbone, *, inner_steps: int = 5, inner_rate: float = 0.005, **kwargs):
        self.inner_steps = inner_steps  # before the rest, which asks for it
        super().__init__(backbone, **kwargs)
        self.inner_rate = inner_rate

    def initial_state(self, context=None):
        return dict(self.network.params)  # all weights, as the outer loop has learned them

    def adapt_state(self, state, support_x, support_y, context, steps=None):
        task = self.task_state(support_y)  # which classes the task has

        def loss(weights, step, captured):
            support = context.at("support", step, labels=support_y)
            outputs, _ = self.network(weights, support_x, support)
            return self.support_loss(outputs, support_y, task)

        def sign(gradients, step):
            perturbed = context.inner_gradients(gradients, step)  # by regularizers
            return {name: tf.sign(gradient) for name, gradient in perturbed.items()}

        steps = self.inner_steps if steps is None else steps  # 0 before adaptation
        weights = {name: state[name] for name in self.network.params}
        rates = dict.fromkeys(weights, self.inner_rate)
        adapted, _ = descend(loss, weights, rates, steps, first_order=True, on_gradients=sign)
        end = context.at("statistics", labels=support_y)
        _, statistics = self.network(adapted, support_x, end)  # for statistics="support"
        return {**adapted, **statistics, **task}
