"""What one kind of learner says: which weights it learns, and how it adapts to a task."""

import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.backbones.head import classifier_of


class LearningRule:
    """How a learner adapts: what a subclass of `MetaLearner` overrides."""

    inner_steps = 0
    second_order = False
    magnitude_mask = None
    # Whether the outer loop learns the backbone's weights; otherwise they are what they are.
    learns_weights = True
    # Whether outer steps descend on a loss, which penalties of weights can be a part of.
    has_outer_loss = True
    # Why its meta-gradient can't be held to the slope of a loss over tasks; None where it can.
    no_gradient_check = None
    # Why its meta-gradient can't score weights; None where it is a gradient in the weights.
    no_meta_gradient_scores = None
    # Whether the backbone's outputs are logits; otherwise they are embeddings.
    outputs_logits = True

    @property
    def classifier(self):
        """The backbone's layer that makes the logits; None if it only embeds."""
        return classifier_of(self.backbone)

    @property
    def way(self):
        """The number of outputs; None if the support set decides."""
        return self.backbone.output_shape[-1]

    @property
    def own_variables(self):
        """The variables that this learner's outer loop learns, the backbone's first."""
        return list(self.backbone.trainable_variables) if self.learns_weights else []

    @property
    def fixed_variables(self):
        """The variables that a task reads and the outer loop doesn't learn."""
        weights = [] if self.learns_weights else self.backbone.trainable_variables
        masks = [] if self.magnitude_mask is None else self.magnitude_mask.masks
        statistics = self.backbone.non_trainable_variables
        return [*weights, *statistics, *masks, *self.carried_variables, self.step]

    @property
    def weights_learned_elsewhere(self):
        """Weights in whose place the outer loop learns others, built like them."""
        return []

    @property
    def carried_variables(self):
        """Those of them that each task of a batch changes for the next one."""
        return []

    @property
    def network_variables(self):
        """The variables that decide which network a task starts from: what training has made."""
        return list(self.backbone.trainable_variables)

    def check_score(self, mask):
        """Refuses a mask that scores weights by a gradient that this learner doesn't have.

        Args:
            mask: `tfmgaug.masks.Mask`.

        Raises:
            ValueError: it scores by the meta-gradient, and the learner's is not one in the weights.
        """
        if mask.score == "meta_gradient" and self.no_meta_gradient_scores is not None:
            raise ValueError(
                f"{self.no_meta_gradient_scores} Use score='query_loss'. "
                f"Received: {type(mask).__name__}(score='meta_gradient')."
            )

    @property
    def evaluation_steps(self):
        """The number of inner steps outside of training."""
        return self.inner_steps

    def adapts(self, variable):
        """Whether the inner loop changes a variable of the backbone."""
        return False

    def inner_rates(self):
        """Returns the inner learning rates by weight; none without inner steps."""
        return {}

    def start(self):
        """Returns the state before adaptation: a dictionary of tensors."""
        return {}

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
        """Adapts to a support set; one step at a time gives the same as all at once.

        Args:
            state: dictionary of tensors, from `start` or from an earlier call.
            support_x: inputs of one task, `[way * shot, ...]`.
            support_y: labels or targets of one task.
            steps: number of inner steps, an integer or int32 scalar; None: the learner's own.
            prune: function from the backbone's weights to those of a sub-network, or None.
            statistics: a mode; None: the learner's own.
            noise: `Noise` of the task in training, or None.
            training: whether the backbone's layers are called as in training.

        Returns:
            The new state.
        """
        raise NotImplementedError

    def adapt_in_training(self, run, steps=None):
        """Adapts to the task of a run, from the start.

        Args:
            run: `TaskRun`.
            steps: as in `adapt_state`.

        Returns:
            The new state.
        """
        episode = run.episode
        return self.adapt_state(
            self.start(),
            episode.support_x,
            episode.support_y,
            steps,
            run.prune,
            self.training_mode,
            run.noise,
            training=True,
        )

    def adapt_in_evaluation(
        self, state, support_x, support_y, steps=None, prune=None, statistics=None
    ):
        """Adapts as `adapt_state` does, and keeps what the mode needs to predict queries."""
        state = self.adapt_state(state, support_x, support_y, steps, prune, statistics)
        if (statistics or self.statistics) == batch_statistics.ONE_BY_ONE:
            # Queries will be normalized together with it.
            state = {**state, "support_x": tf.convert_to_tensor(support_x)}
        return state

    def pruned(self, weights, prune):
        """Prunes weights for one forward pass.

        Args:
            weights: list aligned with the backbone's trainable variables.
            prune: function from weights to those of a sub-network, or None.

        Returns:
            A list like `weights`.
        """
        if self.magnitude_mask is not None:
            weights = self.magnitude_mask(weights)
        return weights if prune is None else prune(weights)

    def read_out(self, outputs, state):
        """Turns the backbone's outputs `[n, outputs]` into logits; see `Predictions.logits`."""
        return outputs

    @property
    def training_mode(self):
        """How queries are normalized in training."""
        # Running averages are made of query batches, so these normalize themselves in training.
        evaluates = (batch_statistics.RUNNING, batch_statistics.ONE_BY_ONE)
        return batch_statistics.TRANSDUCTIVE if self.statistics in evaluates else self.statistics
