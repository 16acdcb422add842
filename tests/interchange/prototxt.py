"""Networks as Caffe describes them: a reader of prototxt text, and the published networks' texts."""

import re

TOKEN = re.compile(r'#.*|"[^"]*"|[{}]|[^\s{}:"]+|:')
POOL = "pooling_param { pool: MAX kernel_size: 2 stride: 2 }"


def parse(text):
    """Return {field: [values]}: text, numbers, True and False, or such dicts for messages."""
    tokens = [t for t in TOKEN.findall(text) if t[0] not in "#:"]
    tokens.reverse()
    return _message(tokens)


def _message(tokens):
    fields = {}
    while tokens and tokens[-1] != "}":
        name, value = tokens.pop(), tokens.pop()
        if value == "{":
            value = _message(tokens)
            tokens.pop()
        else:
            value = _scalar(value)
        fields.setdefault(name, []).append(value)
    return fields


def _scalar(token):
    if token[0] == '"':
        return token[1:-1]
    if token in ("true", "false"):
        return token == "true"
    try:
        return int(token)
    except ValueError:
        pass
    try:
        return float(token)
    except ValueError:
        return token


def one(message, name, default=None):
    """The field's value, or the default where it is not set."""
    return message.get(name, [default])[-1]


def layer(name, kind, bottoms, tops=None, params=""):
    """A layer's text. bottoms, tops: names with spaces between; the layer's own name is the default top."""
    takes = "".join(f' bottom: "{b}"' for b in bottoms.split())
    gives = "".join(f' top: "{t}"' for t in (tops or name).split())
    return f'layer {{ name: "{name}" type: "{kind}"{takes}{gives} {params} }}\n'


def convolution(name, bottom, width, size, pad, params="", kind="Convolution"):
    return layer(name, kind, bottom, None, f"convolution_param {{ num_output: {width} kernel_size: {size} pad: {pad} "
                                           f"{params} }}")


def _conv_bn(name, bottom, width, size, relu):
    """As the authors write it: batch norm and ReLU in place."""
    text = convolution(name, bottom, width, size, size // 2)
    text += layer(f"{name}_bn", "BN", name, name, "bn_param { bn_mode: INFERENCE }")
    return text + (layer(f"relu_{name}", "ReLU", name, name) if relu else "")


def _pool(stage, bottom):
    return layer(f"pool{stage}", "Pooling", bottom, f"pool{stage} pool{stage}_mask",
                 POOL)


def _upsample(stage, bottom, size):
    return layer(f"upsample{stage}", "Upsample", f"{bottom} pool{stage}_mask", None,
                 f"upsample_param {{ upsample_h: {size[0]} upsample_w: {size[1]} }}")


def segnet_basic(size, n_classes, classifier="conv_classifier"):
    """segnet_basic_train.prototxt of the authors' tutorial, without data and loss."""
    text = layer("norm", "LRN", "data", None, "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }")
    bottom, sizes = "norm", [size]
    for stage in range(1, 5):
        text += _conv_bn(f"conv{stage}", bottom, 64, 7, relu=True) + _pool(stage, f"conv{stage}")
        bottom = f"pool{stage}"
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    for stage in range(4, 0, -1):
        text += _upsample(stage, bottom, sizes[stage - 1])
        text += _conv_bn(f"conv_decode{stage}", f"upsample{stage}", 64, 7, relu=False)
        bottom = f"conv_decode{stage}"
    return text + convolution(classifier, bottom, n_classes, 1, 0)


ENCODER = ("1_1 64", "1_2 64", "pool", "2_1 128", "2_2 128", "pool", "3_1 256", "3_2 256", "3_3 256", "pool",
           "4_1 512", "4_2 512", "4_3 512", "pool", "5_1 512", "5_2 512", "5_3 512", "pool")
DECODER = ("up", "5_3_D 512", "5_2_D 512", "5_1_D 512", "up", "4_3_D 512", "4_2_D 512", "4_1_D 256",
           "up", "3_3_D 256", "3_2_D 256", "3_1_D 128", "up", "2_2_D 128", "2_1_D 64", "up", "1_2_D 64")


def segnet_vgg16(size, n_classes):
    """segnet_train.prototxt of the authors' tutorial, without data and loss."""
    text, bottom, sizes = "", "data", [size]
    for step in ENCODER:
        if step == "pool":
            text += _pool(len(sizes), bottom)
            bottom = f"pool{len(sizes)}"
            sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
        else:
            name, width = step.split()
            text += _conv_bn(f"conv{name}", bottom, int(width), 3, relu=True)
            bottom = f"conv{name}"
    for step in DECODER:
        if step == "up":
            sizes.pop()
            text += _upsample(len(sizes), bottom, sizes[-1])
            bottom = f"upsample{len(sizes)}"
        else:
            name, width = step.split()
            text += _conv_bn(f"conv{name}", bottom, int(width), 3, relu=True)
            bottom = f"conv{name}"
    return text + convolution("conv1_1_D", bottom, n_classes, 3, 1)


def vgg16():
    """VGG_ILSVRC_16_layers, without its classifier."""
    text, bottom, stage = "", "data", 1
    for step in ENCODER:
        if step == "pool":
            text += layer(f"pool{stage}", "Pooling", bottom, None, POOL)
            bottom, stage = f"pool{stage}", stage + 1
        else:
            name, width = step.split()
            text += convolution(f"conv{name}", bottom, width, 3, 1) + layer(f"relu{name}", "ReLU", f"conv{name}",
                                                                            f"conv{name}")
            bottom = f"conv{name}"
    return text
