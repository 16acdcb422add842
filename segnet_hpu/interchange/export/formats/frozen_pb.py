"""Frozen graph."""

from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.interchange.export.formats.base import FORMATS, FileFormat, Pictures, Runner

if TYPE_CHECKING:
    from segnet_hpu.interchange.export.serving import Serving


@FORMATS.register("frozen_pb")
class FrozenGraph(FileFormat):
    """One file, weights as constants; nodes `image` and `logits`, `softmax` or `classes`."""

    ending = ".pb"

    def convert(self, serving: "Serving", calibration: Pictures = ()) -> bytes:
        """Return a serialised GraphDef."""
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        frozen = convert_variables_to_constants_v2(serving.function().get_concrete_function())
        graph, result = frozen.graph.as_graph_def(), frozen.outputs[0]
        node = graph.node.add(op="Identity", name=serving.output, input=[result.name])
        node.attr["T"].type = result.dtype.as_datatype_enum
        return graph.SerializeToString()

    def load(self, path: Path, threads: int | None = None) -> Runner:
        """As ExportFormat.load; TensorFlow's own count of threads holds."""
        import tensorflow as tf

        graph = tf.compat.v1.GraphDef.FromString(Path(path).read_bytes())
        # `convert` puts the output last.
        function = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
        function = function.prune("image:0", f"{graph.node[-1].name}:0")
        return lambda images: function(tf.constant(images, tf.float32)).numpy()
