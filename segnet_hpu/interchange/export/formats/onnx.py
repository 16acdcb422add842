"""ONNX, the Open Neural Network Exchange."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.interchange.export.formats.base import FORMATS, FileFormat, Pictures, Runner

if TYPE_CHECKING:
    from segnet_hpu.interchange.export.serving import Serving

OPSET = 17


@FORMATS.register("onnx")
class Onnx(FileFormat):
    """One file for onnxruntime and others, opset 17, of torch 18; needs `pip install 'segnet_hpu[export]'`."""

    ending = ".onnx"
    backends = ("tensorflow", "torch")
    readers = ("onnxruntime",)

    def packages(self, backend: str) -> tuple[str, ...]:
        return {"tensorflow": ("tf2onnx", "onnx"), "torch": ("onnxscript", "onnx")}[backend]

    def convert(self, serving: "Serving", calibration: Pictures = ()) -> bytes:
        """Return a serialised ModelProto."""
        if os.environ["KERAS_BACKEND"] == "torch":
            from segnet_hpu.interchange.export.torch_program import onnx_of

            return onnx_of(serving)
        import tf2onnx

        model, _ = tf2onnx.convert.from_function(serving.function(), [serving.signature()], opset=OPSET)
        return model.SerializeToString()

    def load(self, path: Path, threads: int | None = None) -> Runner:
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda images: session.run(None, {name: images.astype(np.float32)})[0]
