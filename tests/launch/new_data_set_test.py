"""A new data set is one loader and one row: its flags and refusals come by themselves."""

import json
import textwrap

import pytest

from tests.helpers import added_module

FILE = '''
"""Stripes, whose classes are their directions."""

import numpy as np

from tfmgaug.data import ImageClasses, Splits


def load(*, image_size=None, split="vinyals", seed=0, min_images=None):
    """Loads stripes.

    Args:
        image_size: int, side.
        split: str, recorded in the name.
        seed: int, of the pixels.
        min_images: int, which is ignored.
    """
    side = image_size or 28
    pixels = np.random.default_rng(seed).integers(0, 256, [60, side, side, 1], "uint8")
    classes = ImageClasses(pixels, np.arange(7) * 10, list("abcdef"), f"stripes {split}")
    return Splits(classes, classes, classes)
'''
PROGRAM = """
import sys
from launch import registry
registry.DATA.rows["stripes"] = registry.Row("new_data_set.load")
from launch import train
from absl import flags
from launch import settings
"""


def run(tmp_path, code, *arguments):
    """Runs code in a process where the data set has been added."""
    return added_module.run(
        tmp_path, "new_data_set", FILE, PROGRAM + textwrap.dedent(code), *arguments
    )


CHECK = """
flags.FLAGS(sys.argv)
try:
    train.check(flags.FLAGS)
    print("accepted")
except ValueError as error:
    print(error)
assert "tensorflow" not in sys.modules
"""


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--split=background"], "accepted"),
        (["--way=2", "--skip_small_classes"], "accepted"),
        (["--data_dir=/photos"], "belongs to --data=omniglot, "),
        (["--rotations"], "belongs to --data=glyphs, omniglot"),
    ],
)
def test_its_flags_are_read_and_others_are_refused(arguments, answer, tmp_path):
    printed, errors = run(tmp_path, CHECK, "--data=stripes", *arguments)
    assert answer in printed, errors


def test_its_images_are_loaded(tmp_path):
    code = """
    import json
    flags.FLAGS(sys.argv)
    train.check(flags.FLAGS)
    from launch import tasks
    job = tasks.build(settings.experiment(settings.as_dictionary()))
    print(json.dumps([job.test.classes.name, list(job.example_shape), job.train.tasks]))
    """
    arguments = ("--data=stripes", "--image_size=32", "--query=2", "--split=background")
    printed, errors = run(tmp_path, code, *arguments)
    expected = ["stripes background", [32, 32, 1], 4]
    assert json.loads((printed or "null").splitlines()[-1]) == expected, errors


def test_a_loader_that_takes_what_no_flag_has_is_refused():
    from launch import data_flags, registry

    row = registry.Row("tfmgaug.data.from_folder")
    with pytest.raises(ValueError, match="must take fields of launch.experiment.Data. Received: "):
        data_flags.of_loader(row)
