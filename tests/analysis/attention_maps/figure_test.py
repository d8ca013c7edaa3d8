import numpy as np

from tfmgaug.analysis import Attention, Network
from tfmgaug.figures import attention_grid

NETWORKS = (Network("full network", 0.0, 0.0), Network("2 % pruned", 0.02, 0.02))


def result(targets=((0, 1), (0, 1)), channels=3):
    maps = np.zeros([2, 2, 2, 2])
    maps[0, :, 1, 1] = 3.0
    probabilities = np.array([[[0.7, 0.3], [0.6, 0.4]]] * 2)
    return Attention(
        "FOMAML",
        "stage4",
        NETWORKS,
        "CatfishMask",
        "support",
        np.full([2, 8, 8, channels], 100, np.uint8),
        np.array([0, 1]),
        np.array(targets),
        probabilities,
        maps,
    )


def test_rows_are_queries_and_columns_networks():
    figure = attention_grid(result())
    panels = np.array(figure.axes[:6]).reshape(2, 3)
    titles = [axes.get_title().replace("\n", " ") for axes in panels[0]]
    assert titles == ["image", "full network", "2 % pruned"]
    heat = panels[1, 1].images[1].get_array()
    assert (heat.shape, heat[-1, -1], heat[0, 0]) == ((8, 8), 1, 0)
    # Where nothing speaks for the class, the image alone is seen.
    assert panels[1, 2].images[1].get_alpha().max() == 0


def test_captions_tell_the_class_and_how_probable_it_is():
    figure = attention_grid(result(), ["owl", "wren"])
    panels = np.array(figure.axes[:6]).reshape(2, 3)
    assert [axes.get_xlabel() for axes in panels[0]] == ["owl", "70 %", "70 % (no map)"]
    assert [axes.get_xlabel() for axes in panels[1]] == ["wren", "40 %", "40 % (no map)"]
    assert panels[0, 1].xaxis.label.get_weight() == "bold"
    assert panels[1, 1].xaxis.label.get_weight() == "normal"


def test_another_class_than_the_querys_own_is_named():
    figure = attention_grid(result(targets=((0, 0), (0, 0)), channels=1))
    assert figure.axes[4].get_xlabel() == "class 0\n60 %"
