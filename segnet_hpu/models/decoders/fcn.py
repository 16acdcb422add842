"""Fully convolutional networks FCN-8s, -16s and -32s (Long et al., arXiv 1411.4038)."""

from keras import layers


def fcn(features, n_classes, stride, aligned, width=4096):
    """Map feature maps f1..f5 to logits: scores of f5, doubled and joined with f4's (stride 16) and f3's (8).

    stride: 8, 16 or 32, of the scores before the last transposed convolution.
    aligned: True trims every transposed convolution by the same amount on all sides, so that the logits,
    (B, H, W, n_classes), lie over the image. False is keras_segmentation: it trims right and bottom
    only and leaves the last as it is, (B, H + stride, W + stride, n_classes).
    width: of the two layers between f5 and its scores.
    """
    x = features[4]
    for name, kernel in (("fc6", 7), ("fc7", 1)):
        x = layers.Conv2D(width, kernel, padding="same", activation="relu", name=name)(x)
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    x = _score(x, n_classes, 5)
    for level in {32: (), 16: (4,), 8: (4, 3)}[stride]:
        x = _enlarge(x, 2, aligned, f"decoder_up{level}")
        if not aligned:
            x = layers.Cropping2D(((0, 2), (0, 2)), name=f"decoder_crop{level}")(x)
        x = layers.Add(name=f"decoder_add{level}")([x, _score(features[level - 1], n_classes, level)])
    return _enlarge(x, stride, aligned, "classifier_up")


def _score(x, n_classes, level):
    return layers.Conv2D(n_classes, 1, kernel_initializer="he_normal", name=f"classifier_{level}")(x)


def _enlarge(x, factor, aligned, name):
    # "same" cuts factor / 2 off each side of the (n + 1) * factor that "valid" yields.
    return layers.Conv2DTranspose(x.shape[-1], 2 * factor, strides=factor, use_bias=False,
                                  padding="same" if aligned else "valid", name=name)(x)
