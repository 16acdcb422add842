"""Monte-Carlo dropout: how sure a network is, from many passes that drop different units.

Gal & Ghahramani, arXiv 1506.02142; for segmentation: Bayesian SegNet, arXiv 1511.02680.
"""

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.inference.predictor import input_transform
from segnet_hpu.inference.uncertainty import SampledPrediction
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.models.weights import refuse_broken_output


class SampledDropout(keras.layers.Dropout):
    """Dropout that drops at prediction too."""

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        return super().call(inputs, training=True)


class MonteCarloPredictor:
    """Predicts a picture from `samples` passes through the model, `passes` of them at a time.

    Only dropout differs from plain prediction: batch normalisation keeps its moving statistics. Every
    picture meets the same dropped units, which follow from `seed`. Raises UsageError for a model without
    dropout.
    """

    batch_size = 1

    def __init__(self, model: keras.Model | TrainedModel, samples: int, passes: int = 1, seed: int = 0) -> None:
        network = TrainedModel.of(model).network
        self.network, self.samples, self.passes, self.seed = network, samples, passes, seed
        self.dropouts: list[SampledDropout] = []
        # A twin that shares every layer but the dropouts: the model itself stays as it is.
        twin = keras.models.clone_model(network, clone_function=self._sampled)
        if not self.dropouts:
            raise UsageError(f"--mc_samples {samples}: {network.name} has no dropout to sample; expected a model "
                             "such as bayesian_segnet. Leave out --mc_samples")
        self.model = keras.Model(twin.input, keras.layers.Softmax(dtype="float32")(twin.output))
        self.prepare = input_transform(model)

    def _sampled(self, layer: keras.Layer) -> keras.Layer:
        if not isinstance(layer, keras.layers.Dropout) or not layer.rate:
            return layer
        self.dropouts.append(SampledDropout(layer.rate, layer.noise_shape, dtype=layer.dtype_policy))
        return self.dropouts[-1]

    def predict(self, images: Sequence[np.ndarray]) -> list[SampledPrediction]:
        """Return a SampledPrediction for each uint8 RGB image (y, x, 3)."""
        return self.run([self.prepare(image) for image in images])

    def run(self, inputs: Sequence[np.ndarray]) -> list[SampledPrediction]:
        """Return a SampledPrediction for each image of the network's size, uint8 (H, W, 3)."""
        return [SampledPrediction.of(self._softmaxes(one)) for one in inputs]

    def _softmaxes(self, image: np.ndarray) -> Iterator[np.ndarray]:
        for i, layer in enumerate(self.dropouts):
            # 31 bits, which every backend's seeds have.
            layer.seed_generator.state.assign(np.random.SeedSequence([self.seed, i]).generate_state(2) >> 1)
        batch = np.repeat(np.asarray(image, np.float32)[None], self.passes, axis=0)
        for first in range(0, self.samples, self.passes):
            softmaxes = np.asarray(self.model.predict_on_batch(batch))[:self.samples - first]
            refuse_broken_output(softmaxes, self.network)
            yield from softmaxes
