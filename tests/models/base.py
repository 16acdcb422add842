"""What every model of the registry must do; a model's test names it: `class TestX(ModelTester)`."""

import os
import re

import keras
import numpy as np
import pytest

from keras_segmentation_parameters import PARAMETERS
from segnet_hpu.errors import UsageError
from segnet_hpu.models.build import build_model
from segnet_hpu.models.cost import outline, parameters
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer


class ModelTester:
    """Subclasses set these.

    parameters: at 12 classes; keras_segmentation's, where it has the model. stride: of the output against
    the input. beyond: pixels by which the output is larger than that. size: a small input (H, W) the model
    takes. refused: {height it refuses: (nearest below, nearest above)}. options: of build_model for training
    small. learning_rate: at which two steps lower the loss. policies: precisions that it is trained in, unless
    SEGNET_TEST_ALL is set; other models train what it is made of, encoder and decoder, in those that it leaves out.
    """

    model_name = None
    parameters = None
    stride = 2
    beyond = 0
    size = (32, 48)
    refused = {33: (32, 48)}
    options = {}
    learning_rate = 1e-3
    policies = ("float32", "mixed_bfloat16")

    @pytest.fixture(autouse=True)
    def _fresh(self):
        yield
        keras.config.set_dtype_policy("float32")
        keras.utils.clear_session()

    def build(self, n_classes=3, size=None):
        keras.utils.set_random_seed(0)
        return build_model(self.model_name, n_classes, *(size or self.size), **self.options)

    def image(self, batch=2):
        """Noise, bright below and dark above."""
        noise = np.random.default_rng(0).integers(0, 128, (batch, *self.size, 3))
        noise[:, self.size[0] // 2:] += 128
        return noise.astype(np.float32)

    def output_size(self):
        return tuple(side // self.stride + self.beyond for side in self.size)

    def test_parameters(self):
        separable = {k: v for k, v in self.options.items() if k == "separable"}
        model = outline(self.model_name, 12, **separable)
        assert parameters(model) == (self.parameters or PARAMETERS[self.model_name])
        assert model.name == self.model_name

    @pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
    def test_it_learns_and_a_file_keeps_it(self, policy, tmp_path):
        if policy not in self.policies and not os.environ.get("SEGNET_TEST_ALL"):
            pytest.skip(f"others train what it is made of; SEGNET_TEST_ALL=1 trains it in {policy} too")
        keras.config.set_dtype_policy(policy)
        model = self.build()
        x = self.image()
        logits = model(x)
        assert tuple(logits.shape) == (2, *self.output_size(), 3)
        assert keras.backend.standardize_dtype(logits.dtype) == "float32"
        logits = keras.ops.convert_to_numpy(logits)
        # Raw logits, no softmax: neither bounded nor summing to one.
        assert np.isfinite(logits).all() and logits.min() < 0
        assert {layer.compute_dtype for layer in model.layers if isinstance(layer, keras.layers.Conv2D)} == \
            {"float32" if policy == "float32" else "bfloat16"}
        assert {w.dtype for w in model.trainable_weights} == {"float32"}
        self.overfit(model, x)
        self.reload(model, x, tmp_path / "m.keras")

    def overfit(self, model, x):
        """Two steps on one batch change every weight and lower the loss."""
        labels = np.zeros((2, *self.output_size()), np.int32)
        labels[:, labels.shape[1] // 2:] = 1
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0  # its noise is larger than what two steps gain
        # Eagerly: to trace a hundred layers takes longer than to run them twice.
        model.compile(make_optimizer("adam", self.learning_rate), make_loss("ce"), run_eagerly=True)
        before = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
        losses = [float(model.train_on_batch(x, labels)) for _ in range(2)]
        losses.append(float(model.compute_loss(y=labels, y_pred=model(x, training=True))))
        assert np.isfinite(losses).all() and losses[2] < losses[0], losses
        for variable, old in zip(model.trainable_variables, before, strict=True):
            if "bias" not in variable.path:  # a bias before batch normalisation has no gradient
                assert not np.array_equal(variable, old), variable.path

    def reload(self, model, x, path):
        """A file gives the same network and the same answers."""
        model.save(path)
        again = keras.saving.load_model(path, compile=False)
        path.unlink()
        assert keras.Model(again.input, again.output, name=again.name).to_json() == \
            keras.Model(model.input, model.output, name=model.name).to_json()
        np.testing.assert_array_equal(again(x), model(x))

    def test_a_size_it_cannot_take_is_refused_with_the_nearest(self):
        for height, (below, above) in self.refused.items():
            with pytest.raises(UsageError, match=re.escape(f"is {height}") + f".*{below} or {above}"):
                build_model(self.model_name, 3, height, self.size[1])
            with pytest.raises(UsageError, match="input_width"):
                build_model(self.model_name, 3, self.size[0], height)
