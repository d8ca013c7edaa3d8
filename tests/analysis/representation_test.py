import numpy as np
import pytest

from tests.helpers.numpy_network import by_hsic, plain_mlp, sampler
from tests.helpers.numpy_network import learner as plain
from tfmgaug.analysis import linear_cka, representation_change
from tfmgaug.analysis.representation import query_features
from tfmgaug.backbones import mlp
from tfmgaug.engine import prediction
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import by_name, replace
from tfmgaug.learners import ANIL, BOIL, MAML, MetaTicket, ProtoNet
from tfmgaug.masks import ScoreMask

BODY, HEAD = slice(0, 2), 2


def learner(kind, **options):
    """Two hidden stages with batch normalization, and a head."""
    settings = {"inner_steps": 2, "inner_learning_rate": 0.5, **options}
    return kind(mlp(3, (4, 4, 1), (8, 6)), **settings)


def cka(pupil, **options):
    report = representation_change(pupil, sampler(), episodes=3, **options)
    assert report.layers == ("stage1", "stage2", "head")
    return report.values["cka"]


def states(pupil, episode):
    """Before and after adaptation."""
    x, y = episode.support_x, episode.support_y
    initial = pupil.initial_state()
    return initial, pupil.adapt_state(initial, x, y, Context())


def test_cka_is_that_of_numpy_features():
    pupil = plain(MAML)
    report = representation_change(pupil, sampler(), episodes=2)
    for number in range(2):
        episode = sampler().episode(number)
        before, after = (
            [w.numpy() for w in replace(pupil.network.params, state).values()]
            for state in states(pupil, episode)
        )
        x = (episode.query_x.reshape(len(episode.query_x), -1) - 127.5) / 127.5
        hidden = [np.tanh(x @ w[0] + w[1]) for w in (before, after)]
        logits = [h @ w[2] + w[3] for h, w in zip(hidden, (before, after))]
        np.testing.assert_allclose(
            report.values["cka"][number], [by_hsic(*hidden), by_hsic(*logits)], rtol=1e-6
        )


def test_maml_changes_every_stage():
    similarities = cka(learner(MAML))
    assert (similarities < 1 - 1e-4).all()
    assert (similarities > 0).all()


@pytest.mark.parametrize("statistics", ["transductive", "support"])
def test_anil_leaves_the_body_exactly_as_it_is(statistics):
    similarities = cka(learner(ANIL), statistics=statistics)
    assert (similarities[:, BODY] == 1).all()
    assert (similarities[:, HEAD] < 1).all()


@pytest.mark.parametrize("kind", [BOIL, MAML])
def test_boil_leaves_the_head_as_it_is_in_weights_and_in_cka(kind):
    pupil, episode = learner(kind), sampler().episode(0)
    before, after = states(pupil, episode)
    head = by_name(pupil.classifier.trainable_variables)
    old, new = (replace(pupil.network.params, state) for state in (before, after))
    same = [np.array_equal(old[name], new[name]) for name in head]
    # The same features through the head before and after adaptation.
    features = query_features(pupil, after, episode.query_x, Context())[1]
    logits = [
        prediction.forward(pupil, state, features, Context(), pupil.network.stages[HEAD])[0]
        for state in (before, after)
    ]
    alike = float(linear_cka(*logits))
    assert (all(same), alike == 1) == ((True, True) if kind is BOIL else (False, False))
    assert (cka(pupil)[:, BODY] < 1 - 1e-4).all()


def test_a_ticket_is_compared_with_its_mask_on():
    pupil = learner(MetaTicket, score_mask=ScoreMask(0.5))
    masked = cka(pupil)
    for name, mask in pupil.score_mask.masks().items():
        # What is pruned plays no part, whatever its value.
        kernel = pupil.network.variables[name]
        kernel.assign(np.where(mask == 1, kernel.numpy(), 99.0))
    np.testing.assert_array_equal(cka(pupil), masked)


def test_what_can_not_be_compared_is_refused():
    with pytest.raises(ValueError, match="without inner steps"):
        representation_change(ProtoNet(plain_mlp(way=None)), sampler())
    with pytest.raises(ValueError, match="Running statistics"):
        representation_change(learner(MAML), sampler(), statistics="running")
    with pytest.raises(ValueError, match="use statistics='transductive'.*Received.*one_by_one"):
        representation_change(learner(MAML, statistics="one_by_one"), sampler())
