"""TensorFlow Lite, also called LiteRT: one .tflite file, in float32, with float16 weights, or in int8.

One picture a call: with a batch of any size many of its operations would have shapes that are known only when
they run, and its quick kernels take none of those.
"""

import logging
import warnings

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def convert(serving, name, calibration=None):
    """Return the bytes of a .tflite file.

    name: the format's. calibration: for tflite_int8 uint8 pictures, list of (H, W, 3), whose activations set
    the ranges; the file then takes uint8. Operations that have no int8 form stay in float32.
    """
    # As constants, because the converter leaves Keras' variables for the interpreter to set.
    function = convert_variables_to_constants_v2(serving.function(batch_size=1).get_concrete_function())
    logging.getLogger("absl").setLevel(logging.ERROR)  # it would name the variables' owner, who is not needed
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if name != "tflite":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if name == "tflite_fp16":
        converter.target_spec.supported_types = [tf.float16]
    if name == "tflite_int8":
        converter.representative_dataset = lambda: ([one] for one in _calibration(calibration))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        converter.inference_input_type = tf.uint8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the statistics of the input's type are missing: it needs none
        return converter.convert()


def _calibration(images):
    for image in images:
        picture = image[None].astype(np.float32)
        # With both ends of the range a step of the input is exactly 1: it takes pixels as they are.
        picture[0, 0, 0], picture[0, -1, -1] = 0, 255
        yield picture


def load(path, threads=None):
    """Return a function: uint8 pictures (1, H, W, 3) -> the output, numbers of quantised types as float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TensorFlow's own interpreter will move to another package
        interpreter = _interpreter()(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    shape = None

    def run(images):
        nonlocal shape
        if images.shape != shape:
            interpreter.resize_tensor_input(taken["index"], images.shape)
            interpreter.allocate_tensors()
            shape = images.shape
        interpreter.set_tensor(taken["index"], images.astype(taken["dtype"]))
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])
    return run


def _interpreter():
    """The interpreter that has a package of its own, else TensorFlow's."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        return tf.lite.Interpreter
    return Interpreter
