"""What every model of the registry must do; a model's test names it: `class TestX(ModelTester)`."""

import re

import keras
import numpy as np
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.models.build import build_model
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer


class ModelTester:
    """Subclasses set these.

    parameters: at 12 classes. stride: of the output against the input. size: a small input (H, W) the
    model takes. refused: {height it refuses: (nearest below, nearest above)}.
    """

    model_name = None
    parameters = None
    stride = 2
    size = (32, 48)
    refused = {33: (32, 48)}

    @pytest.fixture(autouse=True)
    def _fresh(self):
        yield
        keras.config.set_dtype_policy("float32")
        keras.utils.clear_session()

    def build(self, n_classes=12, size=None):
        keras.utils.set_random_seed(0)
        return build_model(self.model_name, n_classes, *(size or self.size))

    def image(self, batch=2):
        return np.random.default_rng(0).integers(0, 256, (batch, *self.size, 3)).astype(np.float32)

    @pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
    def test_logits_are_float32_of_the_output_size(self, policy):
        keras.config.set_dtype_policy(policy)
        model = self.build(n_classes=5)
        logits = model(self.image())
        height, width = (side // self.stride for side in self.size)
        assert tuple(logits.shape) == (2, height, width, 5)
        assert keras.backend.standardize_dtype(logits.dtype) == "float32"
        logits = keras.ops.convert_to_numpy(logits)
        assert np.isfinite(logits).all()
        # Raw logits, no softmax: neither bounded nor summing to one.
        assert logits.min() < 0
        assert {layer.compute_dtype for layer in model.layers if isinstance(layer, keras.layers.Conv2D)} == \
            {"float32" if policy == "float32" else "bfloat16"}
        assert {w.dtype for w in model.trainable_weights} == {"float32"}

    def test_parameters(self):
        model = self.build()
        assert model.count_params() == self.parameters
        assert model.name == self.model_name

    def test_a_file_keeps_outputs_and_config(self, tmp_path):
        model = self.build(n_classes=3)
        model.save(tmp_path / "m.keras")
        again = keras.saving.load_model(tmp_path / "m.keras")
        assert again.to_json() == model.to_json()
        x = self.image()
        np.testing.assert_array_equal(again(x), model(x))

    def test_one_step_changes_the_weights_and_gives_a_finite_loss(self):
        model = self.build(n_classes=3)
        model.compile(make_optimizer("adam", 1e-4), make_loss("ce"), jit_compile=False)
        labels = np.random.default_rng(1).integers(0, 3, (2, *(s // self.stride for s in self.size)), np.uint8)
        before = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
        losses = [float(model.train_on_batch(self.image(), labels)) for _ in range(2)]
        assert np.isfinite(losses).all()
        for variable, old in zip(model.trainable_variables, before, strict=True):
            if "bias" not in variable.path:  # a bias before batch normalisation has no gradient
                assert not np.array_equal(variable, old), variable.path

    def test_a_size_it_cannot_take_is_refused_with_the_nearest(self):
        for height, (below, above) in self.refused.items():
            with pytest.raises(UsageError, match=re.escape(f"is {height}") + f".*{below} or {above}"):
                build_model(self.model_name, 3, height, self.size[1])
            with pytest.raises(UsageError, match="input_width"):
                build_model(self.model_name, 3, self.size[0], height)
