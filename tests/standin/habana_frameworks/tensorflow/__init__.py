"""Stands in for Habana's package: the names that segnet_hpu calls, and the real one's failures on demand.

HABANA_STANDIN=wrong_tf, no_library, no_driver, no_card or hidden_card chooses a failure; else loading works
and TensorFlow then lists one HPU. HABANA_STANDIN_LOG names a file that gets a JSON line a call.
"""

import json
import os

import keras

import tensorflow as tf

_FAILURE = os.environ.get("HABANA_STANDIN", "")

if _FAILURE == "wrong_tf":
    raise ImportError(f"Found unsupported TF version ({tf.__version__}), supported versions: (2.15.0)")
if _FAILURE == "no_library":
    raise Exception("Failed to find habana_device.so.2.15.0 for TensorFlow 2.15.0 in LD_LIBRARY_PATH. "
                    "Module is not properly initialized..")

# The real package does this too, to Keras 2's class.
keras.src.layers.convolutional.base_conv.Conv._jit_compiled_convolution_op = None


def load_habana_module(allow_op_override: bool = None):
    if _FAILURE == "no_driver":
        raise tf.errors.NotFoundError(None, None, "libSynapse.so: cannot open shared object file: "
                                                  "No such file or directory")
    if _FAILURE == "no_card":
        raise AttributeError("'NoneType' object has no attribute 'split'")
    _record(call="load_habana_module", tensorflow_running=_tensorflow_runs())
    if _FAILURE != "hidden_card":
        _show_hpu()


def _show_hpu():
    listed = tf.config.list_physical_devices
    hpu = tf.config.PhysicalDevice("/physical_device:HPU:0", "HPU")

    def with_hpu(device_type=None):
        return [hpu] if device_type == "HPU" else listed(device_type)

    tf.config.list_physical_devices = with_hpu


def _tensorflow_runs():
    from tensorflow.python.eager import context

    return context.context()._context_handle is not None


def _record(**line):
    if "HABANA_STANDIN_LOG" in os.environ:
        with open(os.environ["HABANA_STANDIN_LOG"], "a") as file:
            file.write(json.dumps(line) + "\n")
