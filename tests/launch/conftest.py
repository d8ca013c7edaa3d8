import pytest
import tensorflow as tf


@pytest.fixture(scope="module")
def unoptimized_graphs():
    """TensorFlow takes longer to optimize these graphs than to run them once."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
