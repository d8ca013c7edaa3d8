"""TensorFlow takes longer to optimize the graphs of these tests than to run them once."""

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True, scope="package")
def unoptimized_graphs():
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
