"""Habana's bridges from a backend of Keras to the Gaudi cards, a file each."""

import importlib
import importlib.util
import os
from collections.abc import Mapping

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.backends import Backend

MODULES = {"tensorflow": "habana_frameworks.tensorflow", "torch": "habana_frameworks.torch"}


def installed(backend: str) -> bool:
    """Return whether Habana's module for a backend of Keras can be found (it is not imported)."""
    try:
        return backend in MODULES and importlib.util.find_spec(MODULES[backend]) is not None
    except ImportError:
        return False


def bridge_here(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the backend whose bridge is installed, KERAS_BACKEND's if that has one; None where there is neither."""
    names = sorted(MODULES, key=lambda name: name != environ.get("KERAS_BACKEND"))
    return next(filter(installed, names), None)


def load(backend: Backend, card: int | None) -> int:
    """Let a backend compute on Gaudi; return how many cards it sees. card: the number of this worker's own.

    Call before it computes. Raises UsageError, naming what is missing, where the bridge, its libraries or its driver
    is not right, and for a backend that has none.
    """
    if backend.name not in MODULES:
        raise UsageError(f"--train_engine hpu: {backend.label} cannot compute on Gaudi; expected --backend torch, or "
                         "--backend tensorflow with SynapseAI 1.14.0")
    count: int = importlib.import_module(f"{__name__}.{backend.name}").load(card)
    return count
