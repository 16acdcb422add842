"""Monte-Carlo dropout: how sure a network is, from many passes that drop different units.

Gal & Ghahramani, arXiv 1506.02142; for segmentation: Bayesian SegNet, arXiv 1511.02680.
"""

import keras
import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.inference.inputs import input_transform
from segnet_hpu.inference.uncertainty import Belief


class SampledDropout(keras.layers.Dropout):
    """Dropout that drops at prediction too."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


class MonteCarloPredictor:
    """Predicts a picture from `samples` passes through the model, `passes` of them at a time.

    Only dropout differs from plain prediction: batch normalisation keeps its moving statistics. Every
    picture meets the same dropped units, which follow from `seed`. Raises UsageError for a model without
    dropout.
    """

    batch_size = 1

    def __init__(self, model, samples, passes=1, seed=0):
        self.samples, self.passes, self.seed = samples, passes, seed
        self.dropouts = []
        # A twin that shares every layer but the dropouts: the model itself stays as it is.
        twin = keras.models.clone_model(model, clone_function=self._sampled)
        if not self.dropouts:
            raise UsageError(f"--mc_samples {samples}: {model.name} has no dropout to sample; expected a model "
                             "such as bayesian_segnet. Leave out --mc_samples")
        self.model = keras.Model(twin.input, keras.layers.Softmax(dtype="float32")(twin.output))
        self.prepare = input_transform(model)

    def _sampled(self, layer):
        if not isinstance(layer, keras.layers.Dropout) or not layer.rate:
            return layer
        self.dropouts.append(SampledDropout(layer.rate, layer.noise_shape, dtype=layer.dtype_policy))
        return self.dropouts[-1]

    def predict(self, images):
        """Return a Belief for each uint8 RGB image (y, x, 3)."""
        return self.run([self.prepare(image) for image in images])

    def run(self, inputs):
        """Return a Belief for each image of the network's size, uint8 (H, W, 3)."""
        return [Belief.of(self._softmaxes(one)) for one in inputs]

    def _softmaxes(self, inputs):
        for i, layer in enumerate(self.dropouts):
            # 31 bits, which every backend's seeds have.
            layer.seed_generator.state.assign(np.random.SeedSequence([self.seed, i]).generate_state(2) >> 1)
        batch = np.repeat(np.asarray(inputs, np.float32)[None], self.passes, axis=0)
        for first in range(0, self.samples, self.passes):
            yield from np.asarray(self.model.predict_on_batch(batch))[:self.samples - first]
