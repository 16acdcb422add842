"""Train, judge and ship semantic-segmentation networks on Gaudi, GPU or CPU.

    import segnet_hpu

    trained = segnet_hpu.load("runs/street")     # a TrainedModel: network, class names, colours
    network = segnet_hpu.build_model("vgg_segnet", n_classes=12)

`segnet_hpu.train` and `segnet_hpu.predict` are keras_segmentation's modules of these names.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segnet_hpu.interchange.load import load
    from segnet_hpu.models.build import build_model
    from segnet_hpu.models.trained_model import TrainedModel
    from segnet_hpu.training.settings import Settings

from segnet_hpu.runtime import tensorflow_log
from segnet_hpu.runtime.backends import default_backend

__version__ = "0.1.0"
__all__ = ["Settings", "TrainedModel", "build_model", "load"]

# Keras reads this once, at its first import; a user's own choice stands.
os.environ.setdefault("KERAS_BACKEND", default_backend())

tensorflow_log.silence()

_MODULES = {"Settings": "training.settings", "TrainedModel": "models.trained_model", "build_model": "models.build",
            "load": "interchange.load"}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: Keras and NumPy come with most of it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
