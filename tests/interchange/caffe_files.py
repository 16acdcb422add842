""".caffemodel files, written with the fields of Caffe's own caffe.proto by Google's protobuf."""

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from prototxt import one

F = descriptor_pb2.FieldDescriptorProto
# {message: [(field, number, type, repeated, packed)]}, copied from the numbers of caffe.proto.
PROTO = {
    "BlobShape": [("dim", 1, F.TYPE_INT64, True, True)],
    "BlobProto": [("num", 1, F.TYPE_INT32, False, False), ("channels", 2, F.TYPE_INT32, False, False),
                  ("height", 3, F.TYPE_INT32, False, False), ("width", 4, F.TYPE_INT32, False, False),
                  ("data", 5, F.TYPE_FLOAT, True, True), ("diff", 6, F.TYPE_FLOAT, True, True),
                  ("shape", 7, "BlobShape", False, False), ("double_data", 8, F.TYPE_DOUBLE, True, True)],
    "ConvolutionParameter": [("num_output", 1, F.TYPE_UINT32, False, False),
                             ("group", 5, F.TYPE_UINT32, False, False)],
    "BatchNormParameter": [("eps", 3, F.TYPE_FLOAT, False, False)],
    "V1LayerParameter": [("bottom", 2, F.TYPE_STRING, True, False), ("top", 3, F.TYPE_STRING, True, False),
                         ("name", 4, F.TYPE_STRING, False, False), ("type", 5, F.TYPE_INT32, False, False),
                         ("blobs", 6, "BlobProto", True, False), ("blobs_lr", 7, F.TYPE_FLOAT, True, False),
                         ("convolution_param", 10, "ConvolutionParameter", False, False)],
    "TransformationParameter": [("scale", 1, F.TYPE_FLOAT, False, False),
                                ("mean_file", 4, F.TYPE_STRING, False, False),
                                ("mean_value", 5, F.TYPE_FLOAT, True, False)],
    "LayerParameter": [("name", 1, F.TYPE_STRING, False, False), ("type", 2, F.TYPE_STRING, False, False),
                       ("bottom", 3, F.TYPE_STRING, True, False), ("top", 4, F.TYPE_STRING, True, False),
                       ("blobs", 7, "BlobProto", True, False), ("phase", 10, F.TYPE_INT32, False, False),
                       ("transform_param", 100, "TransformationParameter", False, False),
                       ("convolution_param", 106, "ConvolutionParameter", False, False),
                       ("batch_norm_param", 139, "BatchNormParameter", False, False)],
    "NetParameter": [("name", 1, F.TYPE_STRING, False, False), ("layers", 2, "V1LayerParameter", True, False),
                     ("input", 3, F.TYPE_STRING, True, False), ("layer", 100, "LayerParameter", True, False)],
}
V1_NUMBERS = {"Convolution": 4, "Concat": 3, "Dropout": 6, "InnerProduct": 14, "LRN": 15, "Pooling": 17, "ReLU": 18,
              "Eltwise": 25, "Deconvolution": 39, "BN": 43, "Upsample": 44}


def _class(name):
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")
    for message, fields in PROTO.items():
        made = file.message_type.add(name=message)
        for field, number, kind, repeated, packed in fields:
            label = F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL
            added = made.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = F.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                added.type = kind
            if packed:
                added.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}"))


NetParameter = _class("NetParameter")


def write(path, net, weights, version=2, double=False):
    """Write the network of a parsed prototxt with weights {layer: [blobs]} as `version`'s .caffemodel.

    V1 has four legacy sides for a blob, V2 its shape. double: V2's numbers as float64.
    """
    message = NetParameter(name="net", input=["data"])
    for layer in net["layer"]:
        kind = one(layer, "type")
        added = message.layer.add(phase=1) if version == 2 else message.layers.add(blobs_lr=[1, 2])
        added.name, added.type = one(layer, "name"), kind if version == 2 else V1_NUMBERS[kind]
        added.bottom.extend(layer.get("bottom", []))
        added.top.extend(layer["top"])
        if "convolution_param" in layer:
            added.convolution_param.num_output = one(layer["convolution_param"][0], "num_output")
            added.convolution_param.group = one(layer["convolution_param"][0], "group", 1)
        for field, values in layer.get("transform_param", [{}])[0].items():
            if field == "mean_value":
                added.transform_param.mean_value.extend(values)
            else:
                setattr(added.transform_param, field, values[0])
        if "batch_norm_param" in layer:
            added.batch_norm_param.eps = one(layer["batch_norm_param"][0], "eps", 1e-5)
        for values in weights.get(one(layer, "name"), ()):
            blob = added.blobs.add()
            (blob.double_data if double else blob.data).extend(values.ravel().tolist())
            if version == 2:
                blob.shape.dim.extend(values.shape)
            else:
                blob.num, blob.channels, blob.height, blob.width = (1, 1, 1, *values.shape)[-4:]
    path.write_bytes(message.SerializeToString())
    return path


def read(path):
    """Return {layer: [blobs]} of a V2 file, by protobuf's own floats."""
    net = NetParameter.FromString(path.read_bytes())
    return {layer.name: [np.array(b.data, np.float32).reshape(tuple(b.shape.dim)) for b in layer.blobs]
            for layer in net.layer if layer.blobs}


def random_weights(seed=0):
    """Return a function (layer's message, input channels) -> [blobs] for caffe_numpy.forward's `make`."""
    rng = np.random.default_rng(seed)

    def make(layer, channels):
        kind = one(layer, "type")
        if kind in ("BN", "Scale"):
            return [rng.uniform(0.5, 1.5, (1, channels, 1, 1)), rng.normal(0, 0.3, (1, channels, 1, 1))]
        if kind == "BatchNorm":
            count = 999.98
            return [rng.normal(0, 0.3, channels) * count, rng.uniform(0.2, 2, channels) * count, np.array([count])]
        if kind == "PReLU":
            return [rng.uniform(0, 0.5, channels)]
        param = layer["convolution_param"][0]
        size, filters, groups = one(param, "kernel_size"), one(param, "num_output"), one(param, "group", 1)
        shape = (filters, channels // groups) if kind == "Convolution" else (channels, filters // groups)
        bias = [rng.normal(0, 0.3, filters)] if one(param, "bias_term", True) else []
        # He's size keeps the signal's through the layers.
        return [rng.normal(0, (2 / (shape[1] * size * size)) ** 0.5, (*shape, size, size)), *bias]

    def single(layer, channels):
        return [b.astype(np.float32) for b in make(layer, channels)]

    return single
