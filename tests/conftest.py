"""Fixtures that several tests share."""

import pathlib

import pytest


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The folder of real images beside the repository, where there is one."""
    folder = pathlib.Path(__file__).resolve().parents[1].parent / "shared" / "data"
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
