"""Networks of keras.applications, applied layer by layer, so that they can end early and be dilated."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segnet_hpu.lazy import keras, layers
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.dilation import step

if TYPE_CHECKING:
    from keras import KerasTensor, Layer, Model

SIDE = 256  # pixels: a size at which every layer's stride can be read off
UNNAMED = ("conv2d", "batch_normalization", "add")


@dataclass(frozen=True)
class Application:
    """A network of keras.applications as an encoder.

    function: that of keras.applications which makes it. ends: the layers whose outputs are f1..f5.
    change: layer -> what is different in its config, {name: value}.
    """

    function: str
    ends: tuple[str, ...]
    change: "Callable[[Layer], dict[str, Any]]" = lambda layer: {}

    def original(self) -> "Model":
        """Return the network as Keras makes it, without its classifier."""
        make = getattr(keras.applications, self.function)
        return make(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))

    def layers(self, network: "Model") -> "Iterator[tuple[Layer, str]]":
        """Yield (layer, name) in order, without what normalises the input.

        The name is Keras' own behind the stage it belongs to, such as stage3_conv3_block1_add. Keras
        numbers unnamed layers through a whole session; here the count is the network's own.
        """
        counts: Counter[str] = Counter()
        stage = 1
        for layer in network.layers[1:]:
            if isinstance(layer, (layers.Rescaling, layers.Normalization)):
                continue
            name = re.sub(r"_\d+$", "", layer.name)
            if name in UNNAMED:
                counts[name] += 1
                name = f"{name}_{counts[name]}"
            else:
                name = layer.name
            yield layer, f"stage{stage}_{name}"
            stage += name in self.ends

    def build(self, x: "KerasTensor", output_stride: int = 32, corner_grid: bool = False) -> "list[KerasTensor]":
        """Apply the network to `x` (B, H, W, C); return the list of feature maps.

        corner_grid: pad alike on all sides where the network strides; else as Keras does for even sides.
        """
        network = self.original()
        made: dict[int, KerasTensor] = {}
        features = []
        for layer, name in self.layers(network):
            config = layer.get_config() | self.change(layer) | _dilated(layer, output_stride) | {"name": name}
            inputs = keras.tree.map_structure(lambda t: made.get(id(t), x), layer.input)
            output = _centred(type(layer), config, inputs) if corner_grid else type(layer).from_config(config)(inputs)
            made[id(layer.output)] = output
            if name.split("_", 1)[1] in self.ends:
                features.append(output)
        return features


def register(name: str, application: Application, **traits: Any) -> None:
    """Make a network of keras.applications an encoder of that name."""
    encoders.register(name, application=application, corner_grid=True, **traits)(application.build)


def _centred(kind: "type[Layer]", config: dict[str, Any], x: "KerasTensor") -> "KerasTensor":
    """Apply a layer, padded alike on all sides if it strides."""
    name, padding = config["name"], config.get("padding")
    kernel = max(config.get("kernel_size") or config.get("pool_size") or (1,))
    if kind is layers.ZeroPadding2D and padding:
        config["padding"] = max(keras.tree.flatten(padding))
    elif kernel > 1 and padding == "same" and config["strides"] not in (1, (1, 1)):
        if kind is layers.MaxPooling2D:  # in two steps: zeros would be the largest among negative numbers
            x = kind(kernel, strides=1, padding="same", name=f"{name}_window")(x)
            config["pool_size"] = 1
        else:
            x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
            config["padding"] = "valid"
    return kind.from_config(config)(x)


def _dilated(layer: "Layer", output_stride: int) -> dict[str, Any]:
    """What is different in a layer's config so that the network stays at `output_stride`."""
    if not isinstance(layer, (layers.ZeroPadding2D, layers.MaxPooling2D, layers.Conv2D, layers.DepthwiseConv2D,
                              layers.SeparableConv2D)):
        return {}
    # To the next power of two, because unpadded layers lose a few pixels more.
    stride = 2 ** round(math.log2(SIDE / layer.input.shape[1]))
    strides, rate = step(stride, output_stride)
    if strides == 2:
        return {}
    if isinstance(layer, layers.ZeroPadding2D):
        return {"padding": 0}
    if isinstance(layer, layers.MaxPooling2D) or layer.kernel_size == (1, 1):
        return {"strides": 1}
    return {"strides": 1, "padding": "same", "dilation_rate": rate}
