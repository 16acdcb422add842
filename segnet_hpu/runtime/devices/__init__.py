"""The kinds of device, a file each in this folder.

A new kind is one new file here, a DeviceKind under @DEVICES.register: flags, presets, launch and doctor then know it.
"""

from functools import cache

from segnet_hpu.runtime.backends import Backend
from segnet_hpu.runtime.devices.base import DEVICES, Device, DeviceKind, LaunchPlan

__all__ = ["Device", "DeviceKind", "LaunchPlan", "box_names", "computing", "engines", "find", "kind_for_launch",
           "kinds", "pins_workers", "prepare_horovod"]


@cache
def kinds() -> tuple[DeviceKind, ...]:
    """Return every kind, in the order in which `auto` tries them."""
    made = [component.make({}, {"name": name}) for name, component in DEVICES.components().items()]
    return tuple(sorted(made, key=lambda kind: kind.order))


def engines() -> tuple[str, ...]:
    """Return the values of --train_engine: "auto" and every kind's name."""
    return ("auto", *(kind.name for kind in kinds()))


def box_names() -> tuple[str, ...]:
    """Return the values of --hls_type: the makers' names of their machines."""
    return tuple(box for kind in kinds() for box in kind.boxes)


def find(name: str) -> DeviceKind:
    """Return the kind with this name. Raises KeyError for any other, "auto" included."""
    return {kind.name: kind for kind in kinds()}[name]


def computing(backend: Backend) -> DeviceKind:
    """Return the first kind, in the order of `kinds`, that a backend of Keras can compute on here."""
    return next(kind for kind in kinds() if kind.is_reached_by(backend))


def kind_for_launch(train_engine: str) -> DeviceKind:
    """Return the kind that --train_engine means on this machine, found without importing a backend."""
    if train_engine != "auto":
        return find(train_engine)
    return next(kind for kind in kinds() if kind.is_present())


def pins_workers(train_engine: str) -> bool:
    """Return whether each of several workers must keep to its share of the cores; not where `auto` chooses."""
    return train_engine != "auto" and find(train_engine).pins_workers


def prepare_horovod() -> None:
    """Do what any kind's driver needs before Horovod is imported."""
    for kind in kinds():
        kind.prepare_horovod()
