import pytest

from tfmgaug.backbones.checks import check_image_shape, check_pooling, check_way


def test_a_network_without_head_has_no_way_to_check():
    check_way(None)
    check_way(1, smallest=1)
    with pytest.raises(ValueError, match="`way` must be at least 2, or None.*way=1"):
        check_way(1)


@pytest.mark.parametrize("shape", [(7, 8, 3), (8, 7, 3), (8, 8, 0), (8, 8), (8, 8, 3, 1)])
def test_image_shapes_that_do_not_fit_are_refused_with_the_reason(shape):
    check_image_shape((8, 8, 1), 8)
    with pytest.raises(ValueError, match=r"at least 8: poolings\. Received: image_shape=\("):
        check_image_shape(shape, 8, ": poolings")


def test_unknown_pooling_is_refused_with_the_known_ones():
    check_pooling("max", {"max": None})
    with pytest.raises(ValueError, match=r"one of \('max', 'average'\). Received: 'sum'"):
        check_pooling("sum", ["max", "average"])
