"""The small model and its file."""

import keras
import pytest
from odd import build

from segnet_hpu.models.trained_model import TrainedModel


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "odd.keras"
    TrainedModel(build(), class_names=("a", "b", "c", "d")).save(path)
    return path


@pytest.fixture(scope="session")
def model(model_file):
    return keras.saving.load_model(model_file)
