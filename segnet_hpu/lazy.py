"""Keras, imported when something of it is first used: what a component says of itself must be readable at once."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["keras", "layers", "ops"]


class LazyModule(ModuleType):
    """A module that is imported at the first access to one of its attributes."""

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self.__name__), attribute)


if TYPE_CHECKING:
    import keras
    from keras import layers, ops
else:
    keras, layers, ops = LazyModule("keras"), LazyModule("keras.layers"), LazyModule("keras.ops")
