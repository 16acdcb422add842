"""From a name, a YAML file or a class of the user's own to a data set."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from segnet_hpu.components import import_object
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.description import read_description
from segnet_hpu.data.datasets.folder import FOLDER
from segnet_hpu.data.datasets.public import DATASETS, DESCRIPTIONS
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.files import StrPath

if TYPE_CHECKING:
    from segnet_hpu.data.source import DataSetSource

KNOWN: dict[str, DataSet] = DATASETS | {FOLDER.name: FOLDER}
NAMES = (*sorted([*DATASETS, *DESCRIPTIONS]), FOLDER.name)


def find(name: str | DataSet) -> DataSet:
    """Return the DataSet of a name.

    name: one of NAMES; a YAML file (datasets.description); MODULE:NAME, a DataSet of the user's own that
    Python imports, the current folder included; or a DataSet, which is returned. Raises UsageError.
    """
    if isinstance(name, DataSet):
        return name
    if name in KNOWN:
        return KNOWN[name]
    if name in DESCRIPTIONS:
        return replace(read_description(DESCRIPTIONS[name]), root=None)
    if name.endswith((".yaml", ".yml")):
        return read_description(name)
    if ":" in name:
        return _imported(name)
    raise UsageError(f"data set {name!r} is unknown; expected {', '.join(NAMES)}, a .yaml file that describes one, "
                     f"or MODULE:NAME.{nearest(name, NAMES)}")


def _imported(name: str) -> DataSet:
    found = import_object(name, "--dataset", "a DataSet")
    if not isinstance(found, DataSet):
        raise UsageError(f"--dataset {name} is a {type(found).__name__}; expected an instance of "
                         "segnet_hpu.data.datasets.DataSet")
    return found


def open_dataset(name: str | DataSet, root: StrPath | None, split: str) -> "DataSetSource":
    """Return the source of a split: len(source), source[i], source.name(i), source.pairs, source.dataset.

    source[i]: (image uint8 (H, W, 3) RGB, label uint8 (H, W) of training ids, 255 = void). pairs: [(image path,
    label path), ...]. name: as for `find`. root: the data set's folder, None for the one it names itself.
    Raises UsageError for an unknown name or split; LayoutError, a UsageError of several lines, for files that
    are missing or lie elsewhere.
    """
    dataset = find(name)
    folder = root_of(dataset, root)
    source, missing = dataset.open(folder, split)
    if missing:
        more = f" (and {len(missing) - 1} more such)" if len(missing) > 1 else ""
        image, label = missing[0]
        what = f"{image} has no label {label}{more}" if os.path.exists(image) else f"{image} is missing{more}"
        raise dataset.layout_error(folder, what)
    return source


def root_of(dataset: DataSet, root: StrPath | None = None) -> str:
    """Return `root`, else the folder that the data set names itself; raises UsageError where there is none."""
    place = dataset.root if root is None else os.fspath(root)
    if place is None:
        raise UsageError(f"--dataset {dataset.name} needs --data_root, the folder where it lies")
    return place
