"""Learners, masks and regularizers that a user writes: saved as they are, mistakes said plainly."""

import keras
import pytest
import tensorflow as tf

from tests.helpers.tasks import batch, images, small_conv, smooth_mlp
from tfmgaug import MGAug
from tfmgaug.engine.inner_loop import descend
from tfmgaug.learners import FOMAML, MAML, ClosedFormLearner, MetaLearner
from tfmgaug.masks import Mask
from tfmgaug.regularizers import Regularizer

register = keras.saving.register_keras_serializable("extensions_test")


@register
class Descending(MetaLearner):
    """Gradient steps on all weights, which forget the statistics of the support set."""

    def __init__(self, backbone, *, inner_steps=2, inner_rate=0.1, **kwargs):
        self.inner_steps = inner_steps
        super().__init__(backbone, **kwargs)
        self.inner_rate = inner_rate

    def initial_state(self, context=None):
        return dict(self.network.params)

    def adapt_state(self, state, support_x, support_y, context, steps=None):
        task = self.task_state(support_y)

        def loss(params, step, captured):
            outputs, _ = self.network(params, support_x, context.at("support", step))
            return self.support_loss(outputs, support_y, task)

        params = {name: state[name] for name in self.network.params}
        rates = dict.fromkeys(params, self.inner_rate)
        steps = self.inner_steps if steps is None else steps
        params, _ = descend(loss, params, rates, steps, first_order=True)
        return {**params, **task}


@register
class EveryOther(Mask):
    """Keeps every other output unit."""

    def __init__(self, rates=0.5, odd=False, **kwargs):
        super().__init__(rates, **kwargs)
        self.odd = odd

    def draw(self, weights, gradients, subnetwork):
        return {name: self.kept(weights[name].shape[-1]) for name in self.prunable}

    def kept(self, units):
        return tf.range(units) % 2 == int(self.odd)


def test_a_learner_is_saved_by_its_arguments(tmp_path):
    learner = Descending(smooth_mlp(normalization=False), inner_steps=3, inner_rate=0.3)
    learner.save(tmp_path / "learner.keras")
    again = keras.saving.load_model(tmp_path / "learner.keras")
    assert (again.inner_steps, again.inner_rate) == (3, 0.3)


def test_a_mask_is_saved_by_its_arguments(tmp_path):
    learner = FOMAML(small_conv(), augmentation=MGAug(EveryOther(odd=True)))
    learner.save(tmp_path / "learner.keras")
    assert keras.saving.load_model(tmp_path / "learner.keras").augmentation.mask.odd is True


@pytest.mark.parametrize("name", ["learner", "mask", "regularizer"])
def test_an_argument_that_is_kept_nowhere_is_refused_when_saved(name):
    class Learner(FOMAML):
        def __init__(self, backbone, *, lost=1, **kwargs):
            super().__init__(backbone, **kwargs)

    class Forgetful(EveryOther):
        def __init__(self, lost=1, **kwargs):
            super().__init__(**kwargs)

    class Penalty(Regularizer):
        def __init__(self, lost=1):
            super().__init__()

        def penalty(self, run):
            return 0.0

    make = {"learner": lambda: Learner(small_conv()), "mask": Forgetful, "regularizer": Penalty}
    with pytest.raises(ValueError, match="attribute of the same name.*no attribute lost"):
        make[name]().get_config()


def test_truth_values_prune_as_zeros_and_ones_do():
    learner = FOMAML(small_conv(), augmentation=MGAug(EveryOther()))
    assert set(learner.mask_sparsity().values()) == {0.5}


def gradients_with_mask(masks):
    class Bad(EveryOther):
        def draw(self, weights, gradients, subnetwork):
            return masks

    learner = FOMAML(small_conv(), augmentation=MGAug(Bad()))
    return learner.meta_gradients(images(1))


def test_a_mask_of_another_shape_is_refused_by_the_name_of_the_weight():
    name = FOMAML(small_conv(), augmentation=MGAug(EveryOther())).augmentation.mask.prunable[0]
    with pytest.raises(ValueError, match=rf"a mask of '{name}' that fits its shape \(3, 3"):
        gradients_with_mask({name: tf.ones(7)})


def test_a_mask_of_no_weight_is_refused():
    with pytest.raises(ValueError, match="names of weights.*Received: 'conv9_kernel'"):
        gradients_with_mask({"conv9_kernel": tf.ones([])})


def test_masks_that_are_no_dictionary_are_refused():
    with pytest.raises(TypeError, match="Bad.draw` must return a dictionary"):
        gradients_with_mask(tf.ones([]))


def test_a_score_that_is_misspelt_is_refused():
    class Scored(EveryOther):
        score = "querry_loss"

    with pytest.raises(ValueError, match="`score` of Scored must be one of.*'querry_loss'"):
        Scored()


class Embedding(ClosedFormLearner):
    def fit_head(self, embeddings, labels, way):
        return {"mean": tf.reduce_mean(embeddings, axis=0)}

    def read_out(self, outputs, state):
        return outputs - state["mean"]


def test_a_method_that_must_be_written_is_asked_for_at_once():
    class Adapting(MetaLearner):
        def adapt_sate(self, state, support_x, support_y, context, steps=None):
            return {}

    class Fitting(ClosedFormLearner):
        pass

    class Drawing(Mask):
        pass

    with pytest.raises(TypeError, match="Adapting must have a method `adapt_state`"):
        Adapting(smooth_mlp())
    with pytest.raises(TypeError, match="Fitting must have a method `fit_head`"):
        Fitting(smooth_mlp(None))
    with pytest.raises(TypeError, match="Drawing must have a method `draw`"):
        Drawing(0.5)


def test_a_head_that_is_no_dictionary_is_refused():
    class Bare(Embedding):
        def fit_head(self, embeddings, labels, way):
            return tf.reduce_mean(embeddings, axis=0)

    with pytest.raises(TypeError, match="Bare.fit_head` must return a dictionary"):
        Bare(smooth_mlp(None, normalization=False)).meta_gradients(batch())


@pytest.mark.parametrize("read_out", [lambda x: x[:, 0], lambda x: tf.concat([x, x], -1)])
def test_logits_of_another_shape_are_refused(read_out):
    class Flat(MAML):
        def read_out(self, outputs, state):
            return read_out(outputs)

    learner = Flat(smooth_mlp(normalization=False))
    with pytest.raises(ValueError, match=r"Flat.read_out` must return logits \[n, way\]"):
        learner.meta_gradients(batch())


def test_statistics_that_a_state_lacks_are_asked_for():
    learner = Descending(smooth_mlp(normalization=True), statistics="support")
    with pytest.raises(ValueError, match="adapt_state` must add the statistics of the support set"):
        learner.meta_gradients(batch())


@pytest.mark.parametrize("value", [None, tf.ones(3, tf.float64)])
def test_a_penalty_that_is_no_scalar_is_refused(value):
    class Penalty(Regularizer):
        def penalty(self, run):
            return value

    learner = MAML(smooth_mlp(normalization=False), regularizers=[Penalty()])
    with pytest.raises(ValueError, match="Penalty.penalty` must return a scalar"):
        learner.meta_gradients(batch())


EPISODES = {
    "nothing": (lambda episode: None, "must return an Episode"),
    "a tuple": (lambda episode: tuple(episode), "must return an Episode"),
    "fewer images": (lambda e: e._replace(support_x=e.support_x[:2]), "as many labels"),
}


@pytest.mark.parametrize("case", EPISODES)
def test_an_episode_that_is_none_is_refused(case):
    change, message = EPISODES[case]

    class Changing(Regularizer):
        def episode(self, episode, key, loss_of):
            return change(episode)

    learner = MAML(smooth_mlp(normalization=False), regularizers=[Changing()])
    with pytest.raises((TypeError, ValueError), match=f"Changing.episode` {message}|{message}"):
        learner.meta_gradients(batch())


def test_gradients_are_given_to_masks_that_ask_for_them():
    received = {}

    class Unscored(EveryOther):
        def draw(self, weights, gradients, subnetwork):
            received[self.score] = gradients
            return super().draw(weights, gradients, subnetwork)

    class Scored(Unscored):
        score = "meta_gradient"

    for kind in (Unscored, Scored):
        FOMAML(small_conv(), augmentation=MGAug(kind())).meta_gradients(images(1))
    assert received[None] is None
    assert set(received["meta_gradient"])


def test_a_bare_mask_is_no_augmentation():
    with pytest.raises(TypeError, match=r"`augmentation` must be an MGAug.*Received: <EveryOther"):
        FOMAML(small_conv(), augmentation=EveryOther())


class Noise(Regularizer):
    def __init__(self, places, change=lambda x: x):
        super().__init__()
        self.places = places
        self.change = change

    def activations(self, x, place, key, step):
        return self.change(x)


PLACES = {
    "a layer that is not there": (("stage9",), ValueError, "names of the backbone's layers"),
    "a text": ("stage4", TypeError, "a tuple of layers' names"),
}


@pytest.mark.parametrize("case", PLACES)
def test_places_that_are_no_layers_are_refused(case):
    places, error, message = PLACES[case]
    with pytest.raises(error, match=message):
        FOMAML(small_conv(), regularizers=[Noise(places)])


def test_activations_of_another_shape_are_refused():
    backbone = small_conv()
    noise = Noise((backbone.layers[2].name,), lambda x: x[:, 1:])
    with pytest.raises(ValueError, match="Noise must return activations behind"):
        FOMAML(backbone, regularizers=[noise]).meta_gradients(images(1))


def test_regularizers_that_are_no_list_are_refused():
    with pytest.raises(TypeError, match="`regularizers` must be a list"):
        FOMAML(small_conv(), regularizers=Noise(()))


def test_a_regularizer_without_its_base_is_refused():
    class Bare(Noise):
        def __init__(self):
            self.places = ()

    with pytest.raises(TypeError, match=r"Bare.__init__` must call `super\(\).__init__\(\)`"):
        FOMAML(small_conv(), regularizers=[Bare()])


def test_a_head_named_as_the_classes_are_is_refused():
    class Clash(Embedding):
        def fit_head(self, embeddings, labels, way):
            return {"classes": embeddings}

    with pytest.raises(ValueError, match="Clash.fit_head` must not return 'classes'"):
        Clash(smooth_mlp(None, normalization=False)).meta_gradients(batch())
