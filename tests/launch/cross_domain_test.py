import types

import pytest

from launch import cross_domain, data_sets
from launch.data_sets import Dataset


def test_data_sets_are_read_with_their_folders():
    found = data_sets.parse(["cifar_fs", "folder:/photos", "folder:/other:place"])
    assert found == [
        Dataset("cifar_fs", None),
        Dataset("folder", "/photos"),
        Dataset("folder", "/other:place"),
    ]
    assert list(map(str, found)) == ["cifar_fs", "folder:/photos", "folder:/other:place"]


@pytest.mark.parametrize("name", ["sinusoids", "mnist", "", ":/photos"])
def test_other_data_is_refused(name):
    with pytest.raises(ValueError, match=f"must name some of glyphs, .*Received: '{name}'"):
        data_sets.parse(["cub", name])


def test_a_data_set_named_twice_is_refused():
    with pytest.raises(ValueError, match="more than once: cub"):
        data_sets.parse(["cub", "glyphs", "cub"])


@pytest.mark.parametrize(
    ("shape", "way", "message"),
    [
        ((28, 28, 3), 5, r"with 1 channel\(s\).*cub/test of 3 channel\(s\)"),
        ((32, 32, 1), 5, "--image_size for another size"),
        ((28, 28, 1), 3, "trained 5-way. Received: --way=3"),
    ],
)
def test_a_run_that_does_not_fit_is_refused(shape, way, message):
    learner = types.SimpleNamespace(image_shape=(28, 28, 1), way=5)
    classes = types.SimpleNamespace(name="cub/test")
    sampler = types.SimpleNamespace(image_shape=shape, way=way, classes=classes)
    with pytest.raises(ValueError, match=message):
        cross_domain.check_fit("runs/a", learner, sampler)
