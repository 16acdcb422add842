"""Run by test_torch_layers.py on torch: Keras' layers by PyTorch's operators against Keras' own, and by NumPy."""

import itertools

import keras
import numpy as np
import torch
from keras.layers import BatchNormalization, Conv2D, MaxPooling2D

import segnet_hpu.models.layers
from segnet_hpu.models.layers import on_torch

RNG = np.random.default_rng(0)
LAYERS = [
    dict(padding="same"), dict(padding="same", strides=2), dict(strides=2, activation="relu"), dict(use_bias=False),
    dict(padding="same", kernel_size=(3, 5), dilation_rate=(2, 1), groups=2),
    dict(padding="same", kernel_size=(2, 3)), dict(padding="same", data_format="channels_first"),
    {}, dict(momentum=0.5, scale=False), dict(center=False, epsilon=1e-5), dict(trainable=False), dict(axis=1)]
TOLERANCE = {"float32": 2e-6, "mixed_bfloat16": 2**-7, "mixed_float16": 2**-10}


def made(index, dtype):
    options = LAYERS[index] | {"dtype": dtype}
    layer = BatchNormalization(**options) if index >= 7 else Conv2D(**{"filters": 4, "kernel_size": 3} | options)
    layer.build((2, 8, 9, 4))
    for variable in layer.variables:
        variable.assign(RNG.uniform(0.5, 1.5, variable.shape))
    return layer


def ours(layer, *args, **kwargs):
    return layer(*args, **kwargs)


def keras_own(layer, *args, **kwargs):
    own = {Conv2D: on_torch._convolve, BatchNormalization: on_torch._normalise}[type(layer)]
    calls, type(layer).call = type(layer).call, own
    try:
        return layer(*args, **kwargs)
    finally:
        type(layer).call = calls


def results(layer, call, inputs, training):
    """Return the output, the gradients by the input and the weights, and the weights' state after it."""
    x = torch.tensor(inputs, requires_grad=True)
    y = call(layer, x.to(getattr(torch, layer.compute_dtype)), training=training)
    (y.float() * torch.arange(y.numel()).reshape(y.shape).sin()).sum().backward()
    gradients = [x.grad, *(v.value.grad for v in layer.trainable_variables)]
    return y.dtype, [np.array(t.detach().float()) for t in (y, *gradients, *(v.value for v in layer.variables))]


def compare(index, dtype, training):
    layer, inputs = made(index, dtype), RNG.normal(3, 2, (2, 8, 9, 4)).astype("float32")
    before = layer.get_weights()
    kinds, values = [], []
    for call in (ours, keras_own):
        layer.set_weights(before)
        for variable in layer.variables:
            variable.value.grad = None
        kind, numbers = results(layer, call, inputs, training)
        kinds.append(kind)
        values.append(numbers)
    assert kinds[0] == kinds[1], (index, dtype, kinds)
    for one, other in zip(*values, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE[dtype] * max(np.abs(other).max(), 1),
                                   err_msg=f"{LAYERS[index]} {dtype} {training}")


def check_statistics():
    """By NumPy: a batch is normalised by its own moments, and moves the averages towards these."""
    layer, inputs = made(7, "float32"), RNG.normal(3, 2, (3, 5, 4, 4)).astype("float32")
    gamma, beta, *moving = layer.get_weights()
    moments = inputs.mean((0, 1, 2)), inputs.var((0, 1, 2))
    out = keras.ops.convert_to_numpy(layer(inputs, training=True))
    np.testing.assert_allclose(out, (inputs - moments[0]) / np.sqrt(moments[1] + 1e-3) * gamma + beta, atol=1e-5)
    for after, before, new in zip(layer.get_weights()[2:], moving, moments, strict=True):
        np.testing.assert_allclose(after, 0.99 * before + 0.01 * new, rtol=1e-6)


def check_layout():
    """A convolution and a pooling get the very memory of the map, as channels_last, and give such a map."""
    for layer, name in ((Conv2D(4, 3, padding="same"), "conv2d"), (Conv2D(4, 3, use_bias=False), "conv2d"),
                        (MaxPooling2D(2), "max_pool2d")):
        x = torch.rand(2, 8, 10, 4)
        layer.build(x.shape)
        seen, operator = [], getattr(torch.nn.functional, name)
        setattr(torch.nn.functional, name, lambda x, *a, op=operator, s=seen, **k: s.append(x) or op(x, *a, **k))
        y = layer(x)
        setattr(torch.nn.functional, name, operator)
        assert [m.data_ptr() for m in seen] == [x.data_ptr()], name
        assert seen[0].is_contiguous(memory_format=torch.channels_last) and y.is_contiguous(), name


assert segnet_hpu.models.layers and Conv2D.call is on_torch.convolve
for index, dtype, training in itertools.product(range(len(LAYERS)), TOLERANCE, (True, False)):
    compare(index, dtype, training)
check_statistics()
check_layout()
print("same")
