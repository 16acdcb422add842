"""A data set of the user's own, written in Python."""

import importlib
import os
import sys

from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.errors import UsageError


def import_dataset(name):
    """Return the DataSet that MODULE:NAME means; MODULE is looked for in the current folder first.

    Raises UsageError where there is no such thing.
    """
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"--dataset {name}: {error}; expected MODULE:NAME, where MODULE.py lies in the current "
                         "folder or is installed, and NAME in it is a DataSet") from None
    except Exception as error:
        raise UsageError(f"--dataset {name}: {module} cannot be imported, {type(error).__name__}: {error}; "
                         "mend it there") from error
    finally:
        sys.path.remove(os.getcwd())
    if not isinstance(found, DataSet):
        raise UsageError(f"--dataset {name} is a {type(found).__name__}; expected an instance of "
                         "segnet_hpu.data.datasets.DataSet")
    return found
