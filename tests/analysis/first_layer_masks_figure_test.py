import numpy as np
import pytest

from tfmgaug.figures import input_mask_grid

MASKS = np.random.default_rng(0).random((7, 5, 4, 3)) < 0.5


def drawn(panels):
    return [axes.images[0].get_array() for axes in panels.axes if axes.images]


def test_units_and_the_share_of_all_units_are_drawn():
    units, share = input_mask_grid(MASKS, 3).subfigs
    assert len(drawn(units)) == 3
    for image, mask in zip(drawn(units), MASKS):
        np.testing.assert_allclose(image, mask.mean(axis=-1))
    np.testing.assert_allclose(drawn(share)[0], 100 * MASKS.mean(axis=(0, -1)))


def test_more_units_than_there_are_draw_all():
    assert len(drawn(input_mask_grid(MASKS, 20).subfigs[0])) == 7


def test_what_is_no_mask_of_images_is_refused():
    for masks, units in ((MASKS[0], 3), (MASKS[:0], 3), (MASKS, 0)):
        with pytest.raises(ValueError, match="at least one unit"):
            input_mask_grid(masks, units)
