"""A new learner is one file and one row: its flags, help and refusals come by themselves."""

import json
import textwrap

import pytest

from tests.helpers import added_module

FILE = '''
"""MAML whose inner rate is halved."""

import keras

from tfmgaug.learners import FOMAML


@keras.saving.register_keras_serializable("new")
class Halved(FOMAML):
    """MAML of a smaller rate.

    Args:
        backbone: functional `keras.Model`.
        halvings: int >= 1, how often the inner rate is halved. Once will do.
        **kwargs: of `FOMAML`.
    """

    def __init__(self, backbone, *, halvings=1, inner_learning_rate=0.5, **kwargs):
        rate = inner_learning_rate / 2**halvings
        super().__init__(backbone, inner_learning_rate=rate, **kwargs)
'''
PROGRAM = """
import sys
from launch import registry
registry.LEARNERS.rows["halved"] = registry._learner("X")._replace(constructor="new_learner.Halved")
from launch import train
from absl import flags
from launch import help_flags, settings
"""


def run(tmp_path, code, *arguments):
    """Runs code in a process where the learner has been added."""
    return added_module.run(
        tmp_path, "new_learner", FILE, PROGRAM + textwrap.dedent(code), *arguments
    )


CHECK = """
flags.FLAGS(sys.argv)
try:
    train.check(flags.FLAGS)
    print(settings.experiment(settings.as_dictionary()).learner.arguments["halvings"])
except ValueError as error:
    print(error)
assert "tensorflow" not in sys.modules
"""


def test_its_flag_has_the_docstring_s_help_and_the_constructor_s_default(tmp_path):
    code = """
    flag = flags.FLAGS["halvings"]
    print(flag.help, flag.default, flag.parser.lower_bound)
    print("halved" in flags.FLAGS["learner"].parser.enum_values, "tensorflow" in sys.modules)
    """
    printed, errors = run(tmp_path, code)
    assert printed.splitlines() == ["How often the inner rate is halved. 1 1", "True False"], errors


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--learner=halved", "--halvings=3"], "3"),
        (["--learner=halved"], "1"),
        (["--halvings=3"], "This flag belongs to --learner=halved. Received: --halvings with"),
        (["--learner=halved", "--distance=cosine"], "belongs to --learner=protonet."),
        (["--learner=halved", "--learn_inner_rates=layer"], "1"),
    ],
)
def test_its_flag_is_read_or_refused(arguments, answer, tmp_path):
    printed, errors = run(tmp_path, CHECK, *arguments)
    assert answer in printed, errors


def test_it_is_built_and_rebuilt_from_json(tmp_path):
    code = """
    import json, types
    flags.FLAGS(sys.argv)
    train.check(flags.FLAGS)
    made = settings.experiment(settings.as_dictionary())
    made = type(made).from_json(json.loads(json.dumps(made.to_json())))
    from launch.construction.learner import build_learner
    tasks = types.SimpleNamespace(example_shape=(28, 28, 1), mean=0.0, standard_deviation=1.0,
                                  regression=False, train=None)
    learner = build_learner(made, tasks)
    print(json.dumps([type(learner).__name__, learner.inner_steps, learner.augmentation is None]))
    """
    printed, errors = run(tmp_path, code, "--learner=halved", "--filters=2")
    assert json.loads(printed.splitlines()[-1]) == ["Halved", 5, False], errors
