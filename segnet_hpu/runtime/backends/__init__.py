"""The backends of Keras, a file each in this folder. KERAS_BACKEND names the one that computes in this process."""

import importlib
import importlib.util
import os
import sys

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.backends.base import LABELS, Backend

__all__ = ["BACKENDS", "LABELS", "Backend", "current", "default_backend", "find", "installed", "missing", "prepare",
           "use"]

BACKENDS = tuple(LABELS)


def installed() -> list[str]:
    """Return the names of the backends that this Python has; none is imported."""
    return [name for name in BACKENDS if importlib.util.find_spec(name)]


def default_backend() -> str:
    """Return the backend to use where nobody names one: the first that is installed.

    Beside a bridge of Habana's it is one that can reach Gaudi.
    """
    names = installed()
    if "torch" in names and importlib.util.find_spec("habana_frameworks"):
        names = [name for name in names if importlib.util.find_spec(f"habana_frameworks.{name}")] or names
    return next(iter(names), BACKENDS[0])


def missing(module: str | None) -> str:
    """Return the message for an import of Keras or of its backend that lacks a module."""
    return (f"Keras with its backend cannot be imported: no module {module}; expected Keras 3 and TensorFlow, "
            "PyTorch or JAX. Run run_scripts/setup_env.sh cpu (or gpu, hpu), with --backend torch or jax where it is "
            "not to be TensorFlow")


def prepare(backend: str) -> None:
    """Let Keras be imported with this backend; nothing under "auto", and where it is imported already, see `use`."""
    if backend != "auto" and "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend


def use(backend: str) -> None:
    """Compute by this backend, or under "auto" by KERAS_BACKEND's, which this package's import has set.

    Keras reads the variable once: call before Keras is imported. Raises UsageError for an unknown name and where
    Keras is imported with another backend.
    """
    if backend not in ("auto", *BACKENDS):
        raise UsageError(f"--backend is {backend!r}; expected one of auto, {', '.join(BACKENDS)}")
    if backend == "auto":
        return
    if "keras" in sys.modules and backend != _name():
        raise UsageError(f"--backend {backend}: Keras is imported with {_name()} already, and keeps it; expected "
                         f"KERAS_BACKEND={backend} before the first import of Keras")
    prepare(backend)


def current() -> Backend:
    """Return the backend in force, which is imported. Raises ModuleNotFoundError where it is not installed."""
    return find(_name())


def find(name: str) -> Backend:
    """Return the backend of this name, which is imported. Raises UsageError for a name that is none of BACKENDS."""
    if name not in BACKENDS:
        raise UsageError(f"KERAS_BACKEND is {name!r}; expected one of {', '.join(BACKENDS)}")
    backend: Backend = importlib.import_module(f"{__name__}.{name}").BACKEND
    return backend


def _name() -> str:
    if "keras" not in sys.modules:
        return os.environ["KERAS_BACKEND"]
    import keras

    name: str = keras.config.backend()
    return name
