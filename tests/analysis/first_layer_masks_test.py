import numpy as np
import pytest

from tfmgaug.analysis import input_masks
from tfmgaug.backbones import conv4, mlp
from tfmgaug.engine.context import Context
from tfmgaug.learners import MAML, MetaTicket


def ticket(shape=(4, 3, 2)):
    return MetaTicket(mlp(3, shape, hidden=(5, 4)), inner_steps=1)


def test_a_hidden_pixel_is_one_that_the_unit_does_not_react_to():
    pupil, hidden = ticket(), np.ones((5, 4, 3, 2), bool)
    hidden[1, 2, 0, 1] = hidden[3, 0, 2, 0] = False
    pupil.score_mask.set_masks(
        {"dense1_kernel": hidden.reshape(5, -1).T, "dense2_kernel": np.ones((5, 4))}
    )
    seen = input_masks(pupil)
    np.testing.assert_array_equal(seen, hidden)
    # The backbone flattens images in the same order.
    image = np.zeros((1, 4, 3, 2), "float32")
    image[0, 2, 0, 1] = 1
    flat = pupil.backbone.get_layer("flatten")(image)
    masked = pupil.network.transformed(pupil.network.params, Context())["dense1_kernel"]
    reactions = np.asarray(flat @ masked)[0]
    assert reactions[1] == 0
    assert (reactions[[0, 2, 3, 4]] != 0).all()


def test_other_learners_and_other_first_layers_are_refused():
    with pytest.raises(TypeError, match="Received: MAML"):
        input_masks(MAML(mlp(3, (4, 4, 1), hidden=(5,))))
    for backbone in (conv4(3, (16, 16, 1), 4), mlp(3, (7,), hidden=(5,))):
        with pytest.raises(ValueError, match="dense, on all pixels"):
            input_masks(MetaTicket(backbone))
