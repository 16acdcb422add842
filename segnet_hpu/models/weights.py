"""Whether a network's weights are numbers."""

import numpy as np

from segnet_hpu.errors import RunError
from segnet_hpu.files import StrPath
from segnet_hpu.lazy import keras


def refuse_broken_weights(network: "keras.Model", source: StrPath) -> None:
    """Raise RunError, naming the first such weight, where a network's weights hold NaN or infinity.

    source: where they come from, for the error. NaN counts as class 0 in every map, and infinity may pass unseen.
    """
    for variable in network.weights:
        finite = np.isfinite(np.asarray(keras.ops.convert_to_numpy(variable)))
        if not finite.all():
            broken = finite.size - np.count_nonzero(finite)
            raise RunError(f"{source}: {variable.path} holds NaN or infinity, {broken:,} of {finite.size:,} numbers; "
                           "take an earlier checkpoint, or train anew with a lower --learning_rate")
