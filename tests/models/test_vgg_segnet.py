"""VGG-SegNet, against the same network written out layer by layer."""

import keras
import numpy as np
import pytest
from keras import layers

from base import ModelTester
from segnet_hpu.errors import UsageError
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoder_stages import freeze_stages
from segnet_hpu.objectives.losses import make_loss


class TestVggSegnet(ModelTester):
    model_name = "vgg_segnet"
    parameters = 11_554_572
    refused = {33: (32, 48), 360: (352, 368), 7: (16, 32)}

    def test_the_structure_is_keras_segmentations(self):
        model = self.build(n_classes=12)
        ours = [layer for layer in model.layers if layer.weights]
        written_out = by_hand(12, self.size)
        theirs = [layer for layer in written_out.layers if layer.weights]
        for mine, other in zip(ours, theirs, strict=True):
            assert type(mine) is type(other)
            assert [w.shape for w in mine.weights] == [w.shape for w in other.weights], mine.name
            if isinstance(mine, layers.Conv2D):
                assert mine.activation is other.activation, mine.name
        rng = np.random.default_rng(0)
        # Small random weights everywhere, batch normalisation's statistics included, tell every layer apart.
        weights = [rng.uniform(0.05, 0.15, w.shape) if "bn" in w.path else rng.normal(0, 0.05, w.shape)
                   for w in model.weights]
        model.set_weights(weights)
        written_out.set_weights(weights)
        image = self.image()
        expected = written_out(image - np.array([123.68, 116.779, 103.939], np.float32))
        np.testing.assert_allclose(model(image), expected, rtol=1e-4, atol=1e-4)


def by_hand(n_classes, size):
    """facts: VGG16's first four blocks; then pad-3x3 conv 512, 256, 128, 64, each with BN and no ReLU,
    doubled in size before the last three; a 3x3 convolution to the classes."""
    x = image = keras.Input((*size, 3))
    for block in ([64, 64], [128, 128], [256, 256, 256], [512, 512, 512]):
        for width in block:
            x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D((2, 2), strides=(2, 2))(x)
    for i, width in enumerate((512, 256, 128, 64)):
        if i:
            x = layers.UpSampling2D((2, 2))(x)
        x = layers.ZeroPadding2D((1, 1))(x)
        x = layers.Conv2D(width, (3, 3), padding="valid")(x)
        x = layers.BatchNormalization()(x)
    return keras.Model(image, layers.Conv2D(n_classes, (3, 3), padding="same")(x))


def test_frozen_stages_stay_as_they_are():
    model = build_model("vgg_segnet", 3, 32, 32)
    freeze_stages(model, 2)
    model.compile(keras.optimizers.SGD(0.01), make_loss("ce"), jit_compile=False)
    before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    rng = np.random.default_rng(0)
    model.train_on_batch(rng.integers(0, 256, (2, 32, 32, 3)).astype(np.float32), rng.integers(0, 3, (2, 16, 16)))
    same = {name for name, weights in before.items()
            if np.array_equal(weights[0], model.get_layer(name).get_weights()[0])}
    assert same == {"block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"}
    with pytest.raises(UsageError, match="freeze_stages is 6.*has 5"):
        freeze_stages(model, 6)


def test_transposed_convolutions_in_place_of_repetition():
    model = build_model("vgg_segnet", 3, 32, 48, use_upsampling=False)
    assert model.output_shape == (None, 16, 24, 3)
    assert sum(isinstance(layer, layers.Conv2DTranspose) for layer in model.layers) == 3
    assert not any(isinstance(layer, layers.UpSampling2D) for layer in model.layers)


@pytest.mark.parametrize("call,message", [
    (lambda: build_model("vgg_segnt", 3), "unknown model 'vgg_segnt'.*Did you mean vgg_segnet"),
    (lambda: build_model("resnet50_deeplab3plus", 3), "Did you mean resnet50_deeplabv3plus"),
    (lambda: build_model("vgg_segnet", 0, 32, 32), "n_classes is 0"),
    (lambda: build_model("vgg_segnet", 3, 32, 32, channels=0), "channels is 0"),
    (lambda: build_model("vgg_segnet", 3, 48, 48, level=4), "input_height is 48; vgg_segnet takes multiples of 32"),
    (lambda: build_model("pspnet", 3, use_upsampling=False), "pspnet has no option use_upsampling; it has none"),
    (lambda: build_model("vgg_segnet", 3, output_stride=8), "no option output_stride; it has level, use_upsampling"),
    (lambda: build_model("deeplabv3plus", 3, 32, 32, output_stride=4), "output_stride is 4; .*takes 8 or 16"),
])
def test_refusals(call, message):
    with pytest.raises(UsageError, match=message):
        call()
