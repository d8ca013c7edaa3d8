"""Recipes by name."""

import pytest

from launch import recipes


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("quickstrat", "quickstart"),
        ("mgaug/table1/cub/5-shot/conv4/fomaml+cp", "mgaug/table2/cub/5-shot/conv4/fomaml+cp"),
        ("mgaug/table1/cub/5shot/conv4/protonet/small", "mgaug/table1/cub/5-shot/conv4/protonet,"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_and_how_to_list_them(name, nearest):
    with pytest.raises(ValueError, match="There is no such recipe") as error:
        recipes.settings(name)
    assert f"Nearest are {nearest}" in str(error.value)
    assert "python -m launch.reproduce --list" in str(error.value)


def test_the_small_form_is_the_recipe_with_fewer_of_everything():
    full = recipes.settings("mgaug/table2/cub/1-shot/conv4/fomaml+cp")
    small = recipes.settings("mgaug/table2/cub/1-shot/conv4/fomaml+cp/small")
    assert (full["data"], small["data"]) == ("cub", "glyphs")
    assert full.keys() <= small.keys()


def test_photos_are_a_folder_of_larger_images():
    assert recipes.settings("photos") == {
        **recipes.QUICKSTART, "data": "folder", "image_size": 84, "shot": 5
    }  # fmt: skip
