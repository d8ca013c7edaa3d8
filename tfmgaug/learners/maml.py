"""MAML: learn weights from which a few gradient steps suffice."""

import functools

import keras
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.backbones import tracing
from tfmgaug.inner_loop import descend
from tfmgaug.learners import inner_rates
from tfmgaug.learners.meta_learner import MetaLearner
from tfmgaug.learners.settings import positive
from tfmgaug.learners.variables import values


@keras.saving.register_keras_serializable("tfmgaug")
class MAML(MetaLearner):
    """Model-agnostic meta-learning.

    Inner loop, per task: `theta' = theta - alpha * dL_support/dtheta`, `inner_steps` times. Outer
    loop: `theta <- theta - beta * 1/T sum_t dL_query(theta'_t)/dtheta`, through the inner steps.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        inner_steps: int >= 1, gradient steps per task, in training and evaluation.
        inner_learning_rate: float >= 0, learning rate of the inner loop, or a list with one for
            each layer that adapts. On the mean loss over examples. (cbfinn/maml divides its loss by
            `shot`, not `way * shot`: its 0.01 is 0.05 here for 5-way.)
        learn_inner_rates: whether the outer loop learns the inner rates, from `inner_learning_rate`
            on: "no"; "layer": one for each layer; "parameter": one for each weight (Meta-SGD).
        first_order: bool, True holds inner gradients constant in the outer loop.
        recompute_inner_steps: bool, whether each inner step is run again when it is differentiated,
            instead of keeping what it computed: the same meta-gradients from less memory, in more
            time.
        **kwargs: of `MetaLearner`: loss, statistics, augmentation, measure_before, parallel_tasks,
            seed, name.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> learner = MAML(conv4(way=5, image_shape=(28, 28, 1)), inner_steps=5)
        >>> learner.compile(keras.optimizers.Adam(1e-3))
        >>> learner.fit(episodes.dataset(), steps_per_epoch=25, epochs=10)

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Algorithm 2.
        Li et al., Meta-SGD, 2017, https://arxiv.org/abs/1707.09835.
    """

    def __init__(
        self,
        backbone,
        *,
        inner_steps=5,
        inner_learning_rate=0.01,
        learn_inner_rates="no",
        first_order=False,
        recompute_inner_steps=False,
        **kwargs,
    ):
        self.inner_steps = positive("inner_steps", inner_steps)
        self.first_order = first_order
        self.recompute_inner_steps = recompute_inner_steps
        super().__init__(backbone, **kwargs)
        self.inner_learning_rate = inner_learning_rate
        self.learn_inner_rates = learn_inner_rates
        weights = zip(self.weight_names, self.backbone.trainable_variables)
        # Names alone: Keras would save the variables of a dictionary a second time.
        self._adapting = [name for name, variable in weights if self.adapts(variable)]
        if not self._adapting:
            raise ValueError(
                f"{type(self).__name__} adapts nothing here: unfreeze what is to adapt. Received: "
                f"{self.backbone.name!r} with trainable weights {self.weight_names}."
            )
        self._rates = self._build_rates(inner_learning_rate, learn_inner_rates)

    def _build_rates(self, rate, learned="no"):
        variables = dict(zip(self.weight_names, self.backbone.trainable_variables))
        adapting = {name: variables[name] for name in self._adapting}
        layers = [layer for layer in self.backbone.layers if layer.trainable_variables]
        return inner_rates.build(self.add_weight, layers, adapting, rate, learned)

    @property
    def changeable(self):
        return {
            **super().changeable,
            "inner_steps": functools.partial(positive, "inner_steps"),
            "inner_learning_rate": self._checked_rate,
            "first_order": self._checked_order,
            "recompute_inner_steps": bool,
        }

    def _checked_rate(self, rate):
        if self.learn_inner_rates != "no":
            raise ValueError(
                "`inner_learning_rate` is where rates start that the outer loop learns: build "
                f"another learner. Received: {rate!r} with "
                f"learn_inner_rates={self.learn_inner_rates!r}."
            )
        self._build_rates(rate)
        return rate

    def _checked_order(self, first_order):
        if not first_order:
            self._refuse_inexact(tracing.trace(self.backbone))
        return bool(first_order)

    def setting_changed(self, name):
        super().setting_changed(name)
        if name == "inner_learning_rate":
            self._rates = self._build_rates(self.inner_learning_rate)

    @property
    def second_order(self):
        """Whether meta-gradients flow through inner gradients."""
        return not self.first_order

    def adapts(self, variable):
        """Whether the inner loop changes a variable of the backbone: MAML changes all."""
        return True

    @property
    def own_variables(self):
        learned = () if self.learn_inner_rates == "no" else self._rates.values()
        # Weights of one layer may share a rate.
        distinct = {id(variable): variable for variable in learned}
        return [*super().own_variables, *distinct.values()]

    def inner_rates(self):
        """Returns the inner learning rates by weight: numbers, or arrays where they are learned."""
        return {name: keras.ops.convert_to_numpy(rate) for name, rate in self._rates.items()}

    def start(self):
        weights = dict(zip(self.weight_names, values(self.backbone.trainable_variables)))
        return {name: weights[name] for name in self._adapting}

    def adapt_state(
        self,
        state,
        support_x,
        support_y,
        steps=None,
        prune=None,
        statistics=None,
        noise=None,
        training=False,
    ):
        task = self.task_state(support_y)

        def loss(adapting, step, *read):
            with self._scope(read):
                weights = self.weights_of(dict(zip(self._adapting, adapting)))
                own_noise = noise and noise.at("support", step, labels=support_y)
                outputs, _ = self.forward(
                    weights, support_x, prune, noise=own_noise, training=training
                )
                return self.support_loss(outputs, support_y, task)

        adapted = self._descend(loss, state, steps, values(self._variables), noise)
        if (statistics or self.statistics) == batch_statistics.SUPPORT:
            own_noise = noise and noise.at("statistics", labels=support_y)
            _, new = self.forward(
                self.weights_of(adapted), support_x, prune, noise=own_noise, training=training
            )
            adapted.update(zip(self.statistics_names, new))
        return {**adapted, **task}

    def _descend(self, loss, state, steps, captured, noise):
        weights = [state[name] for name in self._adapting]
        rates = [_as(self._rates[name], state[name].dtype) for name in self._adapting]
        steps = self.inner_steps if steps is None else steps
        adapted, _ = descend(
            loss,
            weights,
            rates,
            steps,
            self.first_order,
            self.recompute_inner_steps and self.second_order,
            captured,
            noise and (lambda gradients, step: noise.at(step).inner_gradients(gradients)),
            names=self._adapting,
        )
        return dict(zip(self._adapting, adapted))

    def get_config(self):
        """Returns the constructor's arguments, serializable."""
        return {
            **super().get_config(),
            "inner_steps": self.inner_steps,
            "inner_learning_rate": self.inner_learning_rate,
            "learn_inner_rates": self.learn_inner_rates,
            "first_order": self.first_order,
            "recompute_inner_steps": self.recompute_inner_steps,
        }


def _as(rate, dtype):
    # tf.cast would take a float through float32.
    if isinstance(rate, float):
        return tf.constant(rate, dtype)
    return tf.cast(tf.convert_to_tensor(rate), dtype)
