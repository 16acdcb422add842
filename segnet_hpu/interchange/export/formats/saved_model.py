"""SavedModel, TensorFlow's own folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.interchange.export.formats.base import FORMATS, FolderFormat, Runner

if TYPE_CHECKING:
    import numpy as np

    from segnet_hpu.interchange.export.serving import Serving


@FORMATS.register("saved_model")
class SavedModel(FolderFormat):
    """Folder, for TensorFlow and TensorFlow Serving; signature `serving_default`, endpoint `serve`."""

    kind, marker = "a SavedModel", "saved_model.pb"
    labels = "assets.extra/labels.json"  # a place that TensorFlow leaves to its users

    def write(self, serving: "Serving", folder: Path) -> None:
        import keras
        import tensorflow as tf

        # Without `track`, which would write every weight twice: the endpoint's own are found by themselves.
        archive = keras.export.ExportArchive()
        archive.add_endpoint("serve", serving.function())
        try:
            archive.write_out(str(folder), verbose=False)
        except tf.errors.OpError as error:
            raise OSError(str(error).splitlines()[0]) from error

    def load(self, path: Path, threads: int | None = None) -> Runner:
        """As ExportFormat.load; TensorFlow's own count of threads holds."""
        import tensorflow as tf

        loaded = tf.saved_model.load(str(path))  # held by `run`, because its functions do not keep their variables

        def run(images: "np.ndarray") -> "np.ndarray":
            (output,) = loaded.signatures["serving_default"](tf.constant(images, tf.float32)).values()
            return output.numpy()
        return run
