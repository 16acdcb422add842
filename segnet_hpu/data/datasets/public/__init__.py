"""Public data sets, a file each, which are found by listing this folder.

A file is a module with a DataSet, and with the Classes whose names and colours are known by a name, as --palette asks
for them; or it is NAME.yaml, a description as docs/datasets.md explains it.
"""

import importlib
import pkgutil
from pathlib import Path

from segnet_hpu.data.colours import Classes
from segnet_hpu.data.datasets.dataset import DataSet

_modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
_values = [value for module in _modules for value in vars(module).values()]
DATASETS = {value.name: value for value in _values if isinstance(value, DataSet)}
CLASSES = {value.name: value for value in sorted(value for value in _values if isinstance(value, Classes))}
DESCRIPTIONS = {path.stem: str(path) for path in sorted(Path(__file__).parent.glob("*.yaml"))}
