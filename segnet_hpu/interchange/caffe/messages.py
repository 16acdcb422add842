"""The part of Caffe's protobuf messages that carries weights, as classes made at run time."""

import functools

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

# {message: {field: (number in caffe.proto, type)}}; "*" marks a repeated field. Every other field is skipped.
# The numbers of a blob are packed floats: declared as bytes they come out whole, to be read by NumPy, instead
# of one Python float each. Names are bytes too, because damaged ones must not stop the reader.
MESSAGES = {
    "BlobShape": {"dim": (1, "*int64")},
    "Blob": {"num": (1, "int32"), "channels": (2, "int32"), "height": (3, "int32"), "width": (4, "int32"),
             "data": (5, "*bytes"), "shape": (7, "BlobShape"), "double_data": (8, "*bytes")},
    "Convolution": {"group": (5, "uint32")},
    "BatchNorm": {"eps": (3, "float")},
    "Transformation": {"scale": (1, "float"), "mean_file": (4, "bytes"), "mean_value": (5, "*float")},
    "Layer": {"name": (1, "bytes"), "type": (2, "bytes"), "bottom": (3, "*bytes"), "top": (4, "*bytes"),
              "blobs": (7, "*Blob"), "transform_param": (100, "Transformation"),
              "convolution_param": (106, "Convolution"), "batch_norm_param": (139, "BatchNorm")},
    "V1Layer": {"name": (4, "bytes"), "type": (5, "int32"), "bottom": (2, "*bytes"), "top": (3, "*bytes"),
                "blobs": (6, "*Blob"), "convolution_param": (10, "Convolution"),
                "transform_param": (36, "Transformation")},
    "Net": {"layers": (2, "*V1Layer"), "layer": (100, "*Layer")},
}


@functools.cache
def net_class() -> type[Message]:
    """Return the message class of a whole .caffemodel, with `layer` (V2) and `layers` (V1)."""
    file = descriptor_pb2.FileDescriptorProto(name="segnet_hpu/caffe.proto", package="segnet_hpu.caffe")
    field_type = descriptor_pb2.FieldDescriptorProto
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = field_type.LABEL_REPEATED if kind[0] == "*" else field_type.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            kind = kind.lstrip("*")
            if kind in MESSAGES:
                added.type, added.type_name = field_type.TYPE_MESSAGE, f".segnet_hpu.caffe.{kind}"
            else:
                added.type = getattr(field_type, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("segnet_hpu.caffe.Net"))
