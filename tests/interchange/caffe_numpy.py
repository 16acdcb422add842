"""Caffe's layers written out in NumPy, float64: a forward pass of any prototxt that our networks come from."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from prototxt import one

IGNORED = {"Accuracy", "SoftmaxWithLoss", "DenseImageData", "Input", "Data"}
WEIGHTED = {"Convolution", "Deconvolution", "InnerProduct", "BN", "BatchNorm", "Scale", "PReLU"}


def forward(net, image, weights, make=None):
    """Return {name of each blob: (C, H, W)}, the last value of those computed in place.

    net: a parsed prototxt. image: (C, H, W), what `data` gives. weights: {layer: [blobs]}; `make`, if given,
    makes the missing ones: a function (layer's message, input channels) -> [blobs].
    """
    found = {"data": image.astype(np.float64)}
    for layer in net["layer"]:
        kind, name = one(layer, "type"), one(layer, "name")
        if kind in IGNORED:
            continue
        bottoms = [found[b] for b in layer["bottom"]]
        if make and name not in weights and kind in WEIGHTED:
            weights[name] = make(layer, bottoms[0].shape[0])
        blobs = [np.asarray(w, np.float64) for w in weights.get(name, ())]
        tops = LAYERS[kind](layer, blobs, *bottoms)
        tops = tops if isinstance(tops, tuple) else (tops,)
        found |= dict(zip(layer["top"], tops, strict=False))
    return found


def _sides(param, name, default):
    """(height, width) of a field given once, twice, or as name_h and name_w."""
    short = name.removesuffix("_size")
    if f"{short}_h" in param:
        return one(param, f"{short}_h"), one(param, f"{short}_w")
    values = param.get(name, [default])
    return values[0], values[-1]


def _convolution(layer, blobs, x):
    param = layer["convolution_param"][0]
    kernel, *bias = blobs
    (sy, sx), (py, px) = _sides(param, "stride", 1), _sides(param, "pad", 0)
    (dy, dx), groups = _sides(param, "dilation", 1), one(param, "group", 1)
    x = np.pad(x, ((0, 0), (py, py), (px, px)))
    reach = (dy * (kernel.shape[2] - 1) + 1, dx * (kernel.shape[3] - 1) + 1)
    windows = sliding_window_view(x, reach, (1, 2))[:, ::sy, ::sx, ::dy, ::dx]
    parts = [np.tensordot(k, w, ((1, 2, 3), (0, 3, 4)))
             for k, w in zip(np.split(kernel, groups), np.split(windows, groups), strict=True)]
    return np.concatenate(parts) + (bias[0].ravel()[:, None, None] if bias else 0)


def _deconvolution(layer, blobs, x):
    param = layer["convolution_param"][0]
    kernel, *bias = blobs
    (sy, sx), (py, px), groups = _sides(param, "stride", 1), _sides(param, "pad", 0), one(param, "group", 1)
    (_, h, w), (kh, kw) = x.shape, kernel.shape[2:]
    parts = []
    for part, inputs in zip(np.split(kernel, groups), np.split(x, groups), strict=True):
        out = np.zeros((kernel.shape[1], sy * (h - 1) + kh, sx * (w - 1) + kw))
        for i in range(h):
            for j in range(w):
                out[:, i * sy:i * sy + kh, j * sx:j * sx + kw] += np.tensordot(inputs[:, i, j], part, 1)
        parts.append(out[:, py:out.shape[1] - py, px:out.shape[2] - px])
    return np.concatenate(parts) + (bias[0].ravel()[:, None, None] if bias else 0)


def _inner_product(layer, blobs, x):
    kernel, *bias = blobs
    out = kernel.reshape(kernel.shape[-2:]) @ x.ravel() + (bias[0].ravel() if bias else 0)
    return out[:, None, None]


def _pooling(layer, blobs, x):
    """Maxima over windows that reach beyond the end (Caffe's ceiling); the first maximum's place in the plane."""
    param = layer["pooling_param"][0]
    assert one(param, "pool", "MAX") == "MAX" and "pad" not in param
    size, step = one(param, "kernel_size"), one(param, "stride", 1)
    channels, height, width = x.shape
    h, w = (-(-(side - size) // step) + 1 for side in (height, width))
    best, place = np.full((channels, h, w), -np.inf), np.zeros((channels, h, w), int)
    for i in range(h):
        for j in range(w):
            window = x[:, i * step:i * step + size, j * step:j * step + size]
            first = window.reshape(channels, -1).argmax(1)
            best[:, i, j] = window.reshape(channels, -1).max(1)
            y, at = np.divmod(first, window.shape[2])
            place[:, i, j] = (i * step + y) * width + j * step + at
    return best, place


def _upsample(layer, blobs, x, place):
    param = layer["upsample_param"][0]
    scale = one(param, "scale", 2)
    height = one(param, "upsample_h", x.shape[1] * scale - one(param, "pad_out_h", False))
    width = one(param, "upsample_w", x.shape[2] * scale - one(param, "pad_out_w", False))
    out = np.zeros((len(x), height * width))
    np.put_along_axis(out, place.reshape(len(x), -1), x.reshape(len(x), -1), 1)
    return out.reshape(len(x), height, width)


def _bn(layer, blobs, x):
    """The SegNet fork's: the statistics are absorbed in scale and shift; in mode LEARN they are the batch's."""
    scale, shift = (b.ravel()[:, None, None] for b in blobs)
    if one(layer.get("bn_param", [{}])[0], "bn_mode", "LEARN") == "LEARN":
        x = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-9)
    return x * scale + shift


def _batch_norm(layer, blobs, x):
    mean, variance, count = (b.ravel() for b in blobs)
    epsilon = one(layer.get("batch_norm_param", [{}])[0], "eps", 1e-5)
    return (x - (mean / count)[:, None, None]) / np.sqrt((variance / count)[:, None, None] + epsilon)


def _scale(layer, blobs, x):
    scale, *shift = (b.ravel()[:, None, None] for b in blobs)
    return x * scale + (shift[0] if shift else 0)


def _lrn(layer, blobs, x):
    param = layer["lrn_param"][0]
    size = one(param, "local_size", 5)
    squares = np.pad(x ** 2, ((size // 2, size // 2), (0, 0), (0, 0)))
    total = sum(squares[i:i + len(x)] for i in range(size))
    return x * (1 + one(param, "alpha", 1.0) / size * total) ** -one(param, "beta", 0.75)


def _prelu(layer, blobs, x):
    return np.where(x > 0, x, x * blobs[0].ravel()[:, None, None])


def _crop(layer, blobs, x, like):
    """As FCN's: the window of `like`'s height and width, from the offset on."""
    offset = one(layer["crop_param"][0], "offset", 0)
    return x[:, offset:offset + like.shape[1], offset:offset + like.shape[2]]


LAYERS = {
    "Convolution": _convolution, "Deconvolution": _deconvolution, "InnerProduct": _inner_product,
    "Pooling": _pooling, "Upsample": _upsample, "BN": _bn, "BatchNorm": _batch_norm, "Scale": _scale, "LRN": _lrn,
    "PReLU": _prelu, "Crop": _crop, "ReLU": lambda layer, blobs, x: np.maximum(x, 0),
    "Concat": lambda layer, blobs, *xs: np.concatenate(xs), "Eltwise": lambda layer, blobs, *xs: sum(xs),
    # Spatial dropout and dropout let all pass at test time.
    "Python": lambda layer, blobs, x: x, "Dropout": lambda layer, blobs, x: x,
}
