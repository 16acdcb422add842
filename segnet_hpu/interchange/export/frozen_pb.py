"""Frozen graph: one .pb file with the weights as constants, nodes `image` and `logits`, `softmax` or `classes`."""

from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def convert(serving, name, calibration=None):
    """Return the bytes of a serialised GraphDef."""
    frozen = convert_variables_to_constants_v2(serving.function().get_concrete_function())
    graph, result = frozen.graph.as_graph_def(), frozen.outputs[0]
    node = graph.node.add(op="Identity", name=serving.output, input=[result.name])
    node.attr["T"].type = result.dtype.as_datatype_enum
    return graph.SerializeToString()


def load(path, threads=None):
    """Return a function: uint8 pictures (B, H, W, 3) -> the output. threads: TensorFlow's own count holds."""
    graph = tf.compat.v1.GraphDef.FromString(Path(path).read_bytes())
    # `convert` puts the output last.
    function = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    function = function.prune("image:0", f"{graph.node[-1].name}:0")
    return lambda images: function(tf.constant(images, tf.float32)).numpy()
