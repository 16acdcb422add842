"""Select the backend of Keras and the device of this process, of one of the kinds in `devices/`."""

from dataclasses import dataclass

from segnet_hpu.config import option
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime import backends
from segnet_hpu.runtime.devices import Device, computing, engines, find

__all__ = ["BackendSettings", "Device", "DeviceSettings", "select_device"]


@dataclass(kw_only=True)
class BackendSettings:
    """By which backend of Keras a command computes."""

    GROUP = "device"

    backend: str = option("auto", "library that computes; auto: KERAS_BACKEND, else what is installed",
                          choices=("auto", *backends.BACKENDS), changes="nothing", at_once=backends.prepare)


@dataclass(kw_only=True)
class DeviceSettings(BackendSettings):
    """By which backend, and on what, a command computes."""

    GROUP = "device"

    train_engine: str = option("auto", "device", choices=engines(), changes="nothing")


def select_device(train_engine: str = "auto", *, backend: str = "auto", threads: int | None = None,
                  deterministic: bool = False, card: int | None = None) -> Device:
    """Set the backend up for one kind of device and return it; call before any op is placed.

    train_engine: "auto" takes the first that the backend can reach, in the order of `devices.kinds`. backend: see
    `backends.use`. threads: the CPU threads that the backend may use, None for all. deterministic: the same run twice
    gives the same bits. card: the number of the card to use, as each of several workers on one machine has its own;
    the first if None.
    Raises UsageError for an unknown engine, one that is not here or out of the backend's reach, no backend, or one
    that already runs.

    >>> select_device("cpu", threads=1).kind
    'cpu'
    """
    if train_engine not in engines():
        raise UsageError(f"--train_engine is {train_engine!r}; expected one of {', '.join(engines())}")
    backends.use(backend)
    try:
        current = backends.current()
        # Both before the devices are looked at, which sets JAX running.
        _set_threads(current, threads)
        if deterministic:
            current.make_deterministic()
        # Gaudi's comes first: its module makes TensorFlow look for its devices anew.
        kind = computing(current) if train_engine == "auto" else find(train_engine)
        device = kind.select(current, card)
        import keras  # noqa: F401  # after the device's own package
    except ModuleNotFoundError as error:
        raise UsageError(backends.missing(error.name)) from error
    return device


def _set_threads(backend: backends.Backend, threads: int | None) -> None:
    try:
        if threads is not None:
            backend.set_threads(threads)
    except RuntimeError:
        raise UsageError(f"threads is {threads}, but {backend.label} already runs with another number; "
                         "choose the device before making a model or a tensor") from None
