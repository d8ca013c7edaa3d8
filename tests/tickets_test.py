import io
import os
import pathlib

import keras
import numpy as np
import pytest

from tests.helpers.full_disk import limited
from tests.helpers.tasks import batch, dataset
from tests.suite_test import eagerly
from tfmgaug import tickets
from tfmgaug.backbones import mlp
from tfmgaug.backbones.initializers import KaimingNormal, SignedConstant
from tfmgaug.learners import MAML, MetaTicket, MetaTicketBOIL
from tfmgaug.masks import ScoreMask
from tfmgaug.regularizers import MRActivations

SHAPE = (5, 5, 1)


def learner(kind=MetaTicket, hidden=(12, 10), sparsity=0.4, **options):
    settings = {"inner_steps": 2, "inner_learning_rate": 0.3, **options}
    return kind(mlp(3, SHAPE, hidden=hidden), score_mask=ScoreMask(sparsity), **settings)


def trained(ticket, steps=1):
    ticket.compile(keras.optimizers.SGD(5.0), run_eagerly=True)
    ticket.fit(dataset(batch(shape=SHAPE), repeat=steps), verbose=0)
    return ticket


def scatter(ticket, seed):
    """Moves the scores so that many entries change sides."""
    draws = np.random.default_rng(seed)
    for score in ticket.score_mask.scores.values():
        score.assign(0.3 * draws.normal(size=score.shape))
    return ticket


def redrawn(ticket, times=4):
    """Draws weights anew that are pruned, and lets others be kept, over and over."""
    for number in range(1, times + 1):
        scatter(ticket, number)
        ticket.redraw_pruned(number, 0.7)
    return scatter(ticket, 99)


def predictions(ticket, statistics="support"):
    inputs, _ = batch(shape=SHAPE, seed=5)
    support = inputs["support_x"][0], inputs["support_y"][0]
    with eagerly():
        return ticket.adapt(*support, statistics=statistics).predict(inputs["query_x"][0])


def contents(path):
    start = len(tickets._MAGIC) + tickets._HEAD.size
    with np.load(io.BytesIO(path.read_bytes()[start:])) as file:
        return {name: file[name] for name in file.files}


TICKETS = {
    "trained": lambda: trained(learner()),
    "of boil": lambda: trained(learner(MetaTicketBOIL, seed=8)),
    "with redrawn weights": lambda: redrawn(learner()),
    "with redrawn signs": lambda: redrawn(learner(weight_initializer=SignedConstant())),
    "with other variables": lambda: trained(
        learner(
            statistics="running",
            learn_inner_rates="layer",
            regularizers=[MRActivations(depth=1)],
        )
    ),
}


@pytest.mark.parametrize("name", TICKETS)
def test_a_loaded_ticket_predicts_the_same_bits(name, tmp_path):
    ticket = TICKETS[name]()
    loaded = tickets.load(tickets.save(ticket, tmp_path / "x.ticket"))
    assert type(loaded) is type(ticket)
    mode = ticket.statistics
    np.testing.assert_array_equal(predictions(loaded, mode), predictions(ticket, mode))
    assert loaded.mask_sparsity() == ticket.mask_sparsity()
    assert int(loaded.step) == int(ticket.step)
    # Not what a ticket that knew nothing would say.
    assert (predictions(learner(seed=1), "support") != predictions(ticket, "support")).any()


@pytest.mark.parametrize("name", ["trained", "with redrawn weights"])
def test_a_ticket_of_a_ticket_is_the_same(name, tmp_path):
    first = tickets.save(TICKETS[name](), tmp_path / "first")
    second = tickets.save(tickets.load(first), tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()


def test_masks_are_the_same_and_scores_tell_no_more(tmp_path):
    ticket = redrawn(learner())
    loaded = tickets.load(tickets.save(ticket, tmp_path / "x"))
    masks = loaded.score_mask.masks()
    assert list(masks) == ["dense1_kernel", "dense2_kernel"]
    for name, mask in ticket.score_mask.masks().items():
        np.testing.assert_array_equal(masks[name], mask)
    assert all(len(np.unique(score)) == 2 for score in loaded.score_mask.scores.values())
    trained(loaded)  # goes on


def test_a_ticket_is_at_least_twenty_times_smaller_than_its_weights(tmp_path):
    ticket = scatter(learner(hidden=(800, 600)), 0)  # bits that nothing can compress
    size = os.path.getsize(tickets.save(ticket, tmp_path / "x"))
    assert 4 * ticket.backbone.count_params() > 20 * size
    assert 0.3 < ticket.mask_sparsity()["dense1_kernel"] < 0.7


def test_weights_that_came_from_no_draw_are_stored(tmp_path):
    ticket = redrawn(learner())
    plain = set(contents(tickets.save(ticket, tmp_path / "plain")))
    kernel = ticket.backbone.trainable_variables[0]
    kernel.assign(np.where(np.random.default_rng(0).random(kernel.shape) < 0.5, 0.25, kernel))
    path = tickets.save(ticket, tmp_path / "x")
    assert set(contents(path)) == plain | {"stored 0"}
    np.testing.assert_array_equal(predictions(tickets.load(path)), predictions(ticket))


def test_what_the_seed_gives_is_not_in_the_file(tmp_path):
    found = contents(tickets.save(trained(learner()), tmp_path / "x"))
    assert not {name for name in found if name.startswith(("stored", "origins"))}


# Files that are no good.


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return tickets.save(learner(), tmp_path_factory.mktemp("tickets") / "x.ticket").read_bytes()


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.01, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_refused(kept, written, tmp_path):
    path = tmp_path / "cut"
    path.write_bytes(written[: int(kept * len(written))])
    with pytest.raises(ValueError, match="cut is not a ticket|cut is damaged: it was cut off"):
        tickets.load(path)


def test_a_file_with_a_wrong_bit_is_refused(written, tmp_path):
    path = tmp_path / "wrong"
    for place in [*range(30), *range(30, len(written), 97), len(written) - 1]:
        path.write_bytes(written[:place] + bytes([written[place] ^ 1]) + written[place + 1 :])
        with pytest.raises(ValueError, match="wrong is not a ticket|of version|wrong is damaged"):
            tickets.load(path)


def test_a_ticket_of_a_later_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tickets, "VERSION", 2)
    path = tickets.save(learner(), tmp_path / "later")
    monkeypatch.undo()
    with pytest.raises(ValueError, match="of version 1. Received: .*later, 2"):
        tickets.load(path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        tickets.load(tmp_path / "nowhere")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="other.npz is not a ticket"):
        tickets.load(tmp_path / "other.npz")


def test_draws_that_differ_elsewhere_are_noticed(tmp_path, monkeypatch):
    path = tickets.save(learner(), tmp_path / "x")
    draw = KaimingNormal.__call__
    monkeypatch.setattr(KaimingNormal, "__call__", lambda *a: draw(*a) * (1 + 2**-23))
    with pytest.raises(ValueError, match="draws other weights here.*checksum of 'dense1_kernel'"):
        tickets.load(path)


def test_a_ticket_that_could_not_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tickets.save(learner(), tmp_path / "x")
    before = path.read_bytes()

    def full(file, data):
        file.write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        tickets.save(learner(seed=1), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_only_a_ticket_is_replaced(tmp_path):
    ticket = learner()
    ticket.save(tmp_path / "learner.keras")
    before = (tmp_path / "learner.keras").read_bytes()
    for path in (tmp_path / "learner.keras", tmp_path):
        with pytest.raises(FileExistsError, match="not a ticket and is not replaced"):
            tickets.save(ticket, path)
    assert (tmp_path / "learner.keras").read_bytes() == before


def test_a_full_disk_leaves_the_old_ticket(tmp_path):
    path = tickets.save(learner(), tmp_path / "x")
    before = path.read_bytes()
    words = r"x cannot be written: File too large \(.* kB needed"
    with limited(100), pytest.raises(OSError, match=words):
        tickets.save(learner(seed=1), path)
    assert path.read_bytes() == before


def test_learned_weights_are_no_ticket(tmp_path):
    with pytest.raises(TypeError, match="Expected a MetaTicket.*Received: MAML"):
        tickets.save(MAML(mlp(3, SHAPE)), tmp_path / "x")
