"""TensorFlow Lite, also called LiteRT: in float32, with float16 weights, or in int8.

One picture a call: with a batch of any size many of its operations would have shapes that are known only when
they run, and its quick kernels take none of those.
"""

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segnet_hpu.interchange.export.formats.base import FORMATS, FileFormat, Pictures, Runner

if TYPE_CHECKING:
    import numpy as np

    from segnet_hpu.interchange.export.serving import Serving


@FORMATS.register("tflite")
class TFLite(FileFormat):
    """One file for TensorFlow Lite (LiteRT)."""

    ending, batches = ".tflite", False

    def convert(self, serving: "Serving", calibration: Pictures = ()) -> bytes:
        import tensorflow as tf
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        # As constants, because the converter leaves Keras' variables for the interpreter to set.
        function = convert_variables_to_constants_v2(serving.function(batch_size=1).get_concrete_function())
        logging.getLogger("absl").setLevel(logging.ERROR)  # it would name the variables' owner, who is not needed
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
        self.quantise(converter, calibration)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the statistics of the input's type are missing: it needs none
            return converter.convert()

    def quantise(self, converter: Any, calibration: Pictures) -> None:
        """Tell a TFLiteConverter to use fewer bits; here all stays in float32."""

    def load(self, path: Path, threads: int | None = None) -> Runner:
        """Return a function: uint8 pictures (1, H, W, 3) -> the output, numbers of quantised types as float32."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TensorFlow's own interpreter will move to another package
            interpreter = _interpreter()(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
        (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
        shape: tuple[int, ...] | None = None

        def run(images: "np.ndarray") -> "np.ndarray":
            nonlocal shape
            if images.shape != shape:
                interpreter.resize_tensor_input(taken["index"], images.shape)
                interpreter.allocate_tensors()
                shape = images.shape
            interpreter.set_tensor(taken["index"], images.astype(taken["dtype"]))
            interpreter.invoke()
            return interpreter.get_tensor(given["index"])
        return run


@FORMATS.register("tflite_fp16")
class TFLiteFloat16(TFLite):
    """The same as tflite with weights in float16, half as large."""

    def quantise(self, converter: Any, calibration: Pictures) -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]


@FORMATS.register("tflite_int8")
class TFLiteInt8(TFLite):
    """8-bit weights and activations, a quarter as large; takes uint8, and needs --calibration_images.

    Operations that have no int8 form stay in float32. The ranges of its numbers are those of one size.
    """

    agreement, dtype, frees_size, calibrated = 0.99, "uint8", False, True

    def quantise(self, converter: Any, calibration: Pictures) -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([one] for one in _representative(calibration))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        converter.inference_input_type = tf.uint8


def _representative(images: Pictures) -> Iterator["np.ndarray"]:
    for image in images:
        picture = image[None].astype("float32")
        # With both ends of the range a step of the input is exactly 1: it takes pixels as they are.
        picture[0, 0, 0], picture[0, -1, -1] = 0, 255
        yield picture


def _interpreter() -> Any:
    """The interpreter that has a package of its own, else TensorFlow's."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        return tf.lite.Interpreter
    return Interpreter
