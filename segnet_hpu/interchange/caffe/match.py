"""Which layer of a .caffemodel belongs to which layer of a model."""

from collections.abc import Sequence
from dataclasses import replace

import keras
from keras import layers

from segnet_hpu.interchange.caffe.reader import Layer

NORMALISERS = ("BN", "BatchNorm", "Scale")
FUNCTIONS = ("ReLU", "PReLU", "ELU", "Sigmoid", "TanH")
# What the published networks call a layer, where our name for it is another: SegNet-Basic, FCN-32s to -8s, VGG16.
OTHER_NAMES = {
    "conv_classifier": ("dense_softmax_inner_prod",),
    "classifier_5": ("score_fr",), "classifier_4": ("score_pool4",), "classifier_3": ("score_pool3",),
    "decoder_up4": ("upscore2",), "decoder_up3": ("upscore_pool4",),
    "classifier_up": ("upscore8", "upscore16", "upscore"),
} | {f"block{b}_conv{i}": (f"conv{b}_{i}",)
     for b, n in enumerate((2, 2, 3, 3, 3), start=1) for i in range(1, n + 1)}


def whole_normalisers(file: Sequence[Layer]) -> list[Layer]:
    """Return the file's Layers with each BatchNorm's Scale put into it, as its last blobs.

    Batch norms that were merged into a convolution and stayed behind with nothing but zeros are left out.
    """
    whole: list[Layer] = []
    gone = set()
    for layer in file:
        scale = _follower(layer, file) if layer.type == "BatchNorm" else None
        if scale is not None and scale.type == "Scale":
            gone.add(scale.name)
            layer = replace(layer, tops=scale.tops, blobs=layer.blobs + scale.blobs)
        if layer.type == "BN" and not any(blob.any() for blob in layer.blobs):
            gone.add(layer.name)
        whole.append(layer)
    return [layer for layer in whole if layer.name not in gone]


def match(model: keras.Model, file: Sequence[Layer]) -> dict[str, Layer | None]:
    """Return {name of a model's layer with weights: its Layer of the file}, by name.

    A batch norm without a namesake gets the one that follows the same convolution in the file; where there
    is none it was merged into the convolution: its Layer is None. Layers without counterpart are left out.
    """
    weighted = [layer for layer in model.layers if layer.weights]
    by_name = {layer.name: layer for layer in file if layer.blobs}
    pairs: dict[str, Layer | None] = {}
    for layer in weighted:
        names = [name for name in (layer.name, *OTHER_NAMES.get(layer.name, ())) if name in by_name]
        if names:
            pairs[layer.name] = by_name[names[0]]
    for norm, convolution in batch_norms(model).items():
        source = pairs.get(convolution)
        if norm not in pairs and source is not None:
            follower = _follower(source, file)
            pairs[norm] = follower if follower is not None and follower.type in NORMALISERS else None
    return pairs


def batch_norms(model: keras.Model) -> dict[str, str]:
    """Return {batch norm's name: name of the convolution right before it}."""
    convolutions = {id(layer.output): layer.name for layer in model.layers
                    if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose))}
    return {layer.name: convolutions[id(layer.input)] for layer in model.layers
            if isinstance(layer, layers.BatchNormalization) and id(layer.input) in convolutions}


def functions_behind(layer: Layer, file: Sequence[Layer]) -> list[str]:
    """Return the functions, in lower case, that a convolution's output goes through, behind its batch norms."""
    functions = []
    follower = _follower(layer, file)
    while follower is not None and follower.type in (*NORMALISERS, *FUNCTIONS, "Dropout"):
        functions += [follower.type.lower()] * (follower.type in FUNCTIONS)
        follower = _follower(follower, file)
    return functions


def _follower(layer: Layer, file: Sequence[Layer]) -> Layer | None:
    """The layer that takes first, in the file's order, what `layer` gives; None if there is none."""
    after = file[[other.name for other in file].index(layer.name) + 1:]
    return next((other for other in after if set(layer.tops) & set(other.bottoms)), None)
