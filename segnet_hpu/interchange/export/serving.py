"""The function that an exported file computes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from segnet_hpu.interchange.export.network import twin
from segnet_hpu.models.weights import refuse_broken_output, refuse_broken_weights

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Serving:
    """A network with what comes after it.

    model: raw RGB (B, H, W, 3), 0..255, to logits (B, h, w, C), float32. output: "logits" or "softmax" of the
    model's own size, float32, or "classes", uint8 (B, H, W): the argmax of the logits resized (bilinear) to the
    picture's size, as `predict` has it.
    """

    model: keras.Model
    output: str

    @classmethod
    def of(cls, model: keras.Model, output: str, free_size: bool = False) -> "Serving":
        """Return the Serving of a model's float32 twin; see `network.twin`.

        Raises RunError where weights are no numbers, or the scores of a picture of noise are none.
        """
        refuse_broken_weights(model, model.name)
        served = twin(model, free_size)
        noise = np.random.default_rng(0).integers(0, 256, (1, *model.input_shape[1:])).astype(np.float32)
        refuse_broken_output(keras.ops.convert_to_numpy(served(noise, training=False)), model)
        return cls(served, output)

    def signature(self, batch_size: int | None = None) -> "tf.TensorSpec":
        """Return the TensorSpec of the input; batch_size None for any. Needs TensorFlow."""
        import tensorflow as tf

        return tf.TensorSpec((batch_size, *self.model.input_shape[1:]), tf.float32, name="image")

    def function(self, batch_size: int | None = None) -> Any:
        """Return a tf.function: image -> {output: tensor}. Needs TensorFlow."""
        import tensorflow as tf

        return tf.function(self._serve, input_signature=[self.signature(batch_size)])

    def _serve(self, image: "tf.Tensor") -> "dict[str, tf.Tensor]":
        import tensorflow as tf

        logits = self.model(image, training=False)
        if self.output == "logits":
            return {"logits": logits}
        if self.output == "softmax":
            return {"softmax": tf.nn.softmax(logits)}
        size = tf.shape(image)[1:3] if None in image.shape[1:3] else image.shape[1:3]
        return {"classes": tf.cast(tf.argmax(tf.image.resize(logits, size), -1, tf.int32), tf.uint8)}
