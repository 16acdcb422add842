"""Select the device of this process, of one of the kinds in `devices/`."""

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.devices import Device, computing, engines, find
from segnet_hpu.runtime.tensorflow_log import silence_retracing

__all__ = ["Device", "select_device"]


def select_device(train_engine: str = "auto", *, threads: int | None = None, deterministic: bool = False,
                  card: int | None = None) -> Device:
    """Set TensorFlow up for one kind of device and return it; call before any op is placed.

    train_engine: "auto" takes the first there is, in the order of `devices.kinds`. threads: the CPU threads that
    TensorFlow may use, None for all. deterministic: the same run twice gives the same bits. card: the number
    of the card to use, as each of several workers on one machine has its own; the first if None.
    With another Keras backend than TensorFlow, that backend chooses: only the defaults are allowed.
    Raises UsageError for an unknown engine, one that is not here, no TensorFlow, or one already running.

    >>> select_device("cpu", threads=1).kind
    'cpu'
    """
    if train_engine not in engines():
        raise UsageError(f"--train_engine is {train_engine!r}; expected one of {', '.join(engines())}")
    try:
        import keras
    except ModuleNotFoundError as error:
        *others, last = engines()[1:]
        scripts = f"run_scripts/setup_env.sh {last} (or {', '.join(others[::-1])})"
        raise UsageError(f"Keras with its backend cannot be imported: no module {error.name}; expected "
                         f"TensorFlow and Keras 3. Run {scripts}") from error
    backend = keras.config.backend()
    if backend != "tensorflow":
        return _chosen_by(backend, train_engine, threads, deterministic)
    import tensorflow as tf

    silence_retracing()
    # Gaudi's comes first: its module makes TensorFlow look for its devices anew.
    kind = computing(backend) if train_engine == "auto" else find(train_engine)
    device = kind.select(card)
    try:
        if threads is not None:
            kind.set_threads(threads)
    except RuntimeError:
        raise UsageError(f"threads is {threads}, but TensorFlow already runs with another number; "
                         "choose the device before making a model or a tensor") from None
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return device


def _chosen_by(backend: str, train_engine: str, threads: int | None, deterministic: bool) -> Device:
    """The device that a backend other than TensorFlow has chosen itself."""
    if train_engine != "auto" or threads is not None or deterministic:
        raise UsageError(f"KERAS_BACKEND is {backend}, which chooses its device itself; expected "
                         "--train_engine auto and neither threads nor determinism set. "
                         "Unset KERAS_BACKEND for TensorFlow")
    kind = computing(backend)
    return Device(kind.name, f"{kind.name}, chosen by {backend}")
