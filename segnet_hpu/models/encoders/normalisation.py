"""How published networks want their input: raw RGB 0..255 is normalised as `x * scale + offset`, per channel."""

# Caffe's ImageNet networks: means subtracted, here in RGB order.
CAFFE_OFFSET = (-123.68, -116.779, -103.939)

# -1..1, as the networks trained in TensorFlow.
TENSORFLOW_SCALE = 1 / 127.5
TENSORFLOW_OFFSET = (-1.0, -1.0, -1.0)

# Zero mean and unit variance over ImageNet, as in PyTorch.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TORCH_SCALE = tuple(1 / (255 * d) for d in _DEVIATION)
TORCH_OFFSET = tuple(-m / d for m, d in zip(_MEAN, _DEVIATION, strict=True))
