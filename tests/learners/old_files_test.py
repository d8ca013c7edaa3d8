import keras
import pytest

from tests.helpers.tasks import smooth_mlp
from tfmgaug.learners import FOMAML


def test_a_file_of_a_backbone_that_holds_a_model_is_refused_with_its_version():
    inside = smooth_mlp(way=None)
    inputs = keras.Input(inside.input_shape[1:])
    nested = keras.Model(inputs, keras.layers.Dense(3)(inside(inputs)))
    config = FOMAML(nested).get_config()
    FOMAML.from_config(config)  # of today: models inside are taken apart
    old = {**config, "backbone": keras.saving.serialize_keras_object(nested)}
    with pytest.raises(ValueError, match=f"by tfmgaug 0.1, .* holds '{inside.name}'"):
        FOMAML.from_config(old)
