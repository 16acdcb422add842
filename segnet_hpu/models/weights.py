"""Whether a network's weights, and what it answers, are numbers."""

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


def refuse_broken_output(output: np.ndarray, network: "keras.Model") -> None:
    """Raise RunError, naming the network and its largest weight, where its output holds NaN or infinity.

    NaN counts as class 0, and so do scores that are all infinite.
    """
    least, most = output.min(), output.max()  # NaN if there is any
    if np.isfinite(least) and np.isfinite(most):
        return
    sizes = {v.path: np.abs(np.asarray(keras.ops.convert_to_numpy(v), np.float64)).max(initial=0)
             for v in network.weights}
    largest = max(sizes, key=lambda path: sizes[path], default=None)
    told = f" (the largest weight is {sizes[largest]:.3g}, in {largest})" if largest else ""
    answer = "NaN" if np.isnan(least) else "infinity"
    raise RunError(f"{network.name} answers {answer} in place of scores: its weights or its batch normalisation's "
                   f"statistics are broken{told}; take an earlier checkpoint, or train anew with a lower "
                   "--learning_rate")
