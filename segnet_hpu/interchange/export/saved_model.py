"""SavedModel: TensorFlow's own folder, for TensorFlow Serving and `tf.saved_model.load`."""

import keras
import tensorflow as tf


def write(serving, folder):
    """Write a Serving into an existing folder, with the signature `serving_default` and the endpoint `serve`."""
    # Without `track`, which would write every weight twice: the endpoint's own are found by themselves.
    archive = keras.export.ExportArchive()
    archive.add_endpoint("serve", serving.function())
    archive.write_out(str(folder), verbose=False)


def load(path, threads=None):
    """Return a function: uint8 pictures (B, H, W, 3) -> the output. threads: TensorFlow's own count holds."""
    loaded = tf.saved_model.load(str(path))  # held by `run`, because its functions do not keep their variables

    def run(images):
        (output,) = loaded.signatures["serving_default"](tf.constant(images, tf.float32)).values()
        return output.numpy()
    return run
