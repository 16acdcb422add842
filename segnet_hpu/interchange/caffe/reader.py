"""Read .caffemodel files, without Caffe."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath, refuse_special

# V1 numbers the types; those that say how to read the blobs, or what a map goes through. 43 is the SegNet authors'
# fork's own.
V1_TYPES = {4: "Convolution", 6: "Dropout", 14: "InnerProduct", 18: "ReLU", 19: "Sigmoid", 23: "TanH",
            39: "Deconvolution", 43: "BN"}


@dataclass
class Layer:
    """A layer of a .caffemodel.

    type: Caffe's name of it; V1's number as text for a type without weights. bottoms, tops: names of what it
    takes and gives. blobs: its weights, float32, in Caffe's layout. groups: of a convolution.
    epsilon: of a BatchNorm. means, scale: of a layer of data, what is taken off pictures, a number a channel or one
    for all, and what they are multiplied by then. mean_file: the name of a mean picture that is taken off.
    """

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    blobs: list[np.ndarray]
    groups: int
    epsilon: float
    means: tuple[float, ...] = ()
    scale: float = 1.0
    mean_file: str = ""


def read_caffemodel(path: StrPath) -> list[Layer]:
    """Return the Layers of a .caffemodel in the file's order; both formats since 2014, V1 and V2.

    Raises UsageError for a file that is missing, damaged or no .caffemodel.
    """
    from google.protobuf.message import DecodeError

    from segnet_hpu.interchange.caffe.messages import net_class

    refuse_special("", path)
    try:
        with open(path, "rb") as file:
            net = net_class().FromString(file.read())
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror}); expected a .caffemodel") from None
    except DecodeError:
        raise UsageError(f"{path} is damaged or no .caffemodel: it is no whole protobuf message; "
                         "copy it anew from where it comes from") from None
    layers = [_layer(path, message) for message in (*net.layers, *net.layer)]
    if not any(layer.blobs for layer in layers):
        raise UsageError(f"{path} holds no layer with weights; expected a .caffemodel in format V1 or V2 (Caffe's "
                         "upgrade_net_proto_binary brings older ones up to date), not a .prototxt")
    return layers


def _layer(path: StrPath, message: Any) -> Layer:
    name = _text(message.name)
    try:
        blobs = [_array(blob) for blob in message.blobs]
    except ValueError as error:
        raise UsageError(f"{path}: layer {name or '(unnamed)'} is damaged ({error}); copy the file anew from where "
                         "it comes from") from None
    if isinstance(message.type, int):
        kind, epsilon = V1_TYPES.get(message.type, str(message.type)), None
    else:
        kind, epsilon = _text(message.type), message.batch_norm_param.eps
    transformation = message.transform_param
    return Layer(name, kind, tuple(map(_text, message.bottom)), tuple(map(_text, message.top)), blobs,
                 message.convolution_param.group or 1, epsilon or 1e-5, tuple(transformation.mean_value),
                 transformation.scale if transformation.HasField("scale") else 1.0, _text(transformation.mean_file))


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def _array(blob: Any) -> np.ndarray:
    """A blob's numbers, float32. Raises ValueError where they do not fill its shape or are not finite."""
    single, double = b"".join(blob.data), b"".join(blob.double_data)
    values = np.frombuffer(double, "<f8").astype(np.float32) if double else np.frombuffer(single, "<f4")
    shape = tuple(blob.shape.dim) if blob.HasField("shape") else (blob.num, blob.channels, blob.height, blob.width)
    if math.prod(shape) != values.size:
        raise ValueError(f"{values.size} numbers for a blob of shape {shape}")
    if not np.isfinite(values).all():
        raise ValueError("NaN or infinity among its numbers")
    return values.reshape(shape)
