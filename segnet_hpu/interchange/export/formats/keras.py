"""Keras' own file."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.interchange.export.formats.base import FORMATS, FileFormat, Pictures, Runner
from segnet_hpu.lazy import keras

if TYPE_CHECKING:
    from segnet_hpu.interchange.export.serving import Serving


@FORMATS.register("keras")
class KerasFile(FileFormat):
    """One file for `keras.models.load_model`, of Keras' own layers alone; made for one size of picture."""

    ending, frees_size = ".keras", False
    backends = ("tensorflow", "torch", "jax")

    def convert(self, serving: "Serving", calibration: Pictures = ()) -> bytes:
        """Return a .keras archive of one functional model: the network and what comes after it."""
        from segnet_hpu.models.layers.plain import plain_twin

        network = plain_twin(serving.model)
        model = keras.Model(network.input, _answer(serving, network.output), name=network.name)
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder, "model.keras"))
            return Path(folder, "model.keras").read_bytes()

    def load(self, path: Path, threads: int | None = None) -> Runner:
        """As ExportFormat.load; the backend's own count of threads holds."""
        model = keras.saving.load_model(path, compile=False)
        return lambda images: model.predict_on_batch(images.astype("float32"))


def _answer(serving: "Serving", logits: "keras.KerasTensor") -> "keras.KerasTensor":
    if serving.output == "logits":
        return logits
    if serving.output == "softmax":
        return keras.layers.Softmax(dtype="float32", name="softmax")(logits)
    height, width = serving.model.input_shape[1:3]
    scores = keras.layers.Resizing(height, width, data_format="channels_last", dtype="float32")(logits)
    return keras.ops.cast(keras.ops.argmax(scores, -1), "uint8")
