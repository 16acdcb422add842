"""Random numbers of a run."""


def set_seed(seed):
    """Seed Python's, NumPy's and the Keras backend's generators with `seed` (0 .. 2**32 - 1)."""
    import keras

    keras.utils.set_random_seed(seed)
