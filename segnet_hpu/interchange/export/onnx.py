"""ONNX: one .onnx file, for onnxruntime and whatever reads the Open Neural Network Exchange."""

OPSET = 17


def convert(serving, name, calibration=None):
    """Return the bytes of a ModelProto."""
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(serving.function(), [serving.signature()], opset=OPSET)
    return model.SerializeToString()


def load(path, threads=None):
    """Return a function: uint8 pictures (B, H, W, 3) -> the output."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images.astype(np.float32)})[0]
