"""Compiled models in Keras' own files, opened by Keras."""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from segnet_hpu.objectives.accuracy import PixelAccuracy
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.losses.base import SegmentationLoss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.objectives.schedules import make_schedule

OPEN = """
import sys
import keras
import segnet_hpu.keras_objects
for path in sys.argv[1:]:
    model = keras.saving.load_model(path)
    print(type(model.loss).__name__, type(model.optimizer._learning_rate).__name__)
"""


def saved(path, loss):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    model.compile(make_optimizer("sgd", make_schedule("constant", 0.1, 8, 2)), loss, metrics=[PixelAccuracy()])
    model.train_on_batch(np.zeros((2, 8, 8, 3)), np.zeros((2, 8, 8)))
    model.save(path)
    return path


def test_another_process_opens_them(tmp_path):
    losses = {"CrossEntropy": make_loss("ce"), "OhemCrossEntropy": make_loss("ohem"),
              "OwnLoss": make_loss(keras.losses.SparseCategoricalCrossentropy)}
    paths = [saved(tmp_path / f"{name}.keras", loss) for name, loss in losses.items()]
    found = subprocess.run([sys.executable, "-c", OPEN, *map(str, paths)], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [f"{type(loss).__name__} WarmUp" for loss in losses.values()]


@dataclass(eq=False, kw_only=True)
class Mine(SegmentationLoss):
    """A user's."""

    power: float = 1.0

    def per_image(self, target, logits):
        return ops.mean(target * logits ** self.power, (1, 2, 3))


@keras.saving.register_keras_serializable("theirs")
class Theirs(Mine):
    """One that its author registered."""


def function(labels, logits, from_logits=False):
    assert from_logits
    return ops.mean(ops.square(logits), -1)


@pytest.mark.parametrize("loss, name", [(Mine(power=2.0), "segnet_hpu>Mine"), (Theirs(power=3.0), "theirs>Theirs")])
def test_a_class_of_the_users_own_is_known_once_it_is_made(tmp_path, loss, name):
    assert keras.saving.get_registered_name(type(loss)) == name
    again = keras.saving.load_model(saved(tmp_path / "a.keras", loss)).loss
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


def scaled(factor, labels, logits, shift):
    return ops.mean(factor * logits + ops.convert_to_tensor(shift), -1)


@pytest.mark.parametrize("own", [function, keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                                 partial(function, from_logits=True), partial(scaled, 2.0, shift=[1.0, 2.0, 3.0]),
                                 partial(scaled, np.float32(2), shift=np.ones(3, "float32"))], ids=str)
def test_a_loss_of_the_users_own_computes_the_same_when_loaded(tmp_path, own):
    loss = make_loss(own)
    own_objects = {"function": function, "scaled": scaled}
    again = keras.saving.load_model(saved(tmp_path / "a.keras", loss), custom_objects=own_objects).loss
    labels, logits = np.ones((2, 8, 8)), np.random.default_rng(0).normal(size=(2, 8, 8, 3))
    np.testing.assert_array_equal(again.call(labels, logits), loss.call(labels, logits))
