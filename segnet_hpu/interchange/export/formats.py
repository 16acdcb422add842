"""Which formats there are. Imports nothing heavy, so that a wrong call is refused at once."""

import importlib
import importlib.util
from dataclasses import dataclass

from segnet_hpu.errors import UsageError

OUTPUTS = ("logits", "softmax", "classes")


@dataclass(frozen=True)
class Format:
    """A registry line.

    module: the module of this package with `convert`, or `write` for a folder, and `load`.
    ending: of the file's name; "" for a folder. agreement: the least share of pixels that must have the class
    that Keras gives them. frees_size, calibrated: whether it can take pictures of any size, and whether it needs
    training pictures. writers, readers: packages, beside TensorFlow, that writing and running it need.
    """

    module: str
    ending: str
    agreement: float = 0.999
    frees_size: bool = True
    calibrated: bool = False
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()

    def load_module(self):
        """Return the module that writes and runs the format."""
        return importlib.import_module(f"segnet_hpu.interchange.export.{self.module}")


FORMATS = {
    "saved_model": Format("saved_model", ""),
    "frozen_pb": Format("frozen_pb", ".pb"),
    "tflite": Format("tflite", ".tflite"),
    "tflite_fp16": Format("tflite", ".tflite"),
    # The ranges of its numbers are those of one size.
    "tflite_int8": Format("tflite", ".tflite", agreement=0.99, frees_size=False, calibrated=True),
    "onnx": Format("onnx", ".onnx", writers=("tf2onnx", "onnx"), readers=("onnxruntime",)),
}


def refuse_missing_packages(name, run=False):
    """Raise UsageError, naming the pip command, if packages that the format `name` needs are not installed.

    run: whether the file will also be run.
    """
    chosen = FORMATS[name]
    missing = [p for p in chosen.writers + chosen.readers * run if not importlib.util.find_spec(p)]
    if missing:
        raise UsageError(f"--format {name} needs {' and '.join(missing)}, not installed here; "
                         "pip install 'segnet_hpu[export]'")
