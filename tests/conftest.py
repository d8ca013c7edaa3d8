"""Fixtures that several tests share."""

import pathlib

import pytest

from tests.helpers import tiers

TESTS = pathlib.Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before marks are selected
def pytest_collection_modifyitems(items):
    """Marks the tests that are not in the default tier; see `tests/helpers/tiers.py`."""
    for item in items:
        file = item.path.relative_to(TESTS).as_posix()
        if tiers.is_integration(file, item.name) and not item.get_closest_marker("slow"):
            item.add_marker("integration")


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The folder of real images beside the repository, where there is one."""
    folder = TESTS.resolve().parents[1] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real images are not here: there is no folder {folder}")
    return folder


@pytest.fixture(scope="module")
def unoptimized_graphs():
    """TensorFlow takes longer to optimize the graphs of most tests than to run them once."""
    import tensorflow as tf  # takes seconds, which not every test has to wait for

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
