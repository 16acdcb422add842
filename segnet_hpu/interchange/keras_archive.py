"""What a .keras file declares, held against what it has, before anything of it is built."""

import io
import json
import math
import os
import zipfile
from typing import Any

from segnet_hpu.interchange.hdf5 import FREE, LARGEST_RATIO, open_weights

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LARGEST_MAP = 2**31  # numbers of one layer's output for one picture


def check_archive(archive: zipfile.ZipFile) -> None:
    """Raise ValueError where a .keras file would be unpacked or built into far more than it is.

    Its members unpacked, the numbers of its HDF5 part, and the weights that its layers ask for, which are counted
    without making them. Raises too what zipfile, h5py and Keras raise over damaged bytes.
    """
    size = os.path.getsize(str(archive.filename))
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > LARGEST_RATIO * size + FREE:
        raise ValueError(f"it unpacks to {unpacked:,} bytes from {size:,}")
    weights = archive.read(WEIGHTS)
    open_weights(io.BytesIO(weights), len(weights)).close()
    _refuse_absurd(_outline(json.loads(archive.read(CONFIG))), len(weights))


def _outline(config: dict[str, Any]) -> Any:
    """The network without values in its variables, which costs no memory; not to be called."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return keras.saving.deserialize_keras_object({name: value for name, value in config.items()
                                                      if name != "compile_config"})


def _refuse_absurd(network: Any, size: int) -> None:
    import keras

    needed = 4 * sum(math.prod(weight.shape) for weight in network.weights)
    # Weights may be stored as numbers of 4 bits.
    if needed > 8 * size + FREE:
        raise ValueError(f"its layers need {needed:,} bytes of weights, the file holds {size:,}")
    for layer in network.layers:
        for output in keras.tree.flatten(layer.output):
            if math.prod(side or 1 for side in output.shape) > LARGEST_MAP:
                raise ValueError(f"its layer {layer.name} gives maps of {'x'.join(map(str, output.shape[1:]))}")
