"""L2 regularisation as a term of the loss."""

import keras

from segnet_hpu.errors import UsageError


class Penalty(keras.regularizers.L2):
    """Keras' own, told apart from a regulariser that the model brings."""


def penalise(model: keras.Model, strength: float) -> None:
    """Add strength * sum(w^2) over the trainable kernels to the model's loss, as Keras's kernel_regularizer does.

    Kernels alone, no biases and no normalisation; in float32 under every precision. strength 0 takes away what an
    earlier call added. The model's config does not hold it. Raises UsageError where a kernel has a regulariser of
    its own.
    """
    for variable in model.trainable_variables:
        ours = isinstance(variable.regularizer, Penalty)
        if not variable.name.endswith("kernel") or not (strength or ours):
            continue
        if variable.regularizer is not None and not ours:
            raise UsageError(f"--l2: {variable.path} of {model.name} has a regulariser of its own; leave --l2 out, "
                             "or make the model without")
        variable.regularizer = Penalty(strength) if strength else None
