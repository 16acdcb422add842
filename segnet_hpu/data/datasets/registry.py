"""From a name, a YAML file or a class of the user's own to a data set."""

import os

from segnet_hpu.data.datasets import coco, folder, streets, things
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import layout_error
from segnet_hpu.errors import UsageError, nearest

KNOWN = {known.name: known for known in (
    streets.CAMVID, streets.CITYSCAPES, streets.KITTI_ROAD, coco.STUFF, coco.STUFF_171, coco.INSTANCES, things.VOC,
    things.ADE20K, folder.FOLDER)}
NAMES = tuple(KNOWN)


def find(name):
    """Return the DataSet of a name.

    name: one of NAMES; a YAML file (datasets.described); MODULE:NAME, a DataSet of the user's own that
    Python imports, the current folder included; or a DataSet, which is returned. Raises UsageError.
    """
    if isinstance(name, DataSet):
        return name
    if name in KNOWN:
        return KNOWN[name]
    if name.endswith((".yaml", ".yml")):
        from segnet_hpu.data.datasets.description import read_description

        return read_description(name)
    if ":" in name:
        from segnet_hpu.data.datasets.own import import_dataset

        return import_dataset(name)
    raise UsageError(f"data set {name!r} is unknown; expected {', '.join(NAMES)}, a .yaml file that describes one, "
                     f"or MODULE:NAME.{nearest(name, NAMES)}")


def open_dataset(name, root, split):
    """Return the source of a split: len(source), source[i], source.name(i), source.pairs, source.dataset.

    source[i]: (image uint8 (H, W, 3) RGB, label uint8 (H, W) of training ids, 255 = void). pairs: [(image path,
    label path), ...]. name: as for `find`. root: the data set's folder, None for the one it names itself.
    Raises UsageError for an unknown name or split; LayoutError, a UsageError of several lines, for files that
    are missing or lie elsewhere.
    """
    dataset = find(name)
    root = root_of(dataset, root)
    source, missing = dataset.open(root, split)
    if missing:
        more = f" (and {len(missing) - 1} more such)" if len(missing) > 1 else ""
        image, label = missing[0]
        what = f"{image} has no label {label}{more}" if os.path.exists(image) else f"{image} is missing{more}"
        raise layout_error(dataset, root, what)
    return source


def root_of(dataset, root=None):
    """Return `root`, else the folder that the data set names itself; raises UsageError where there is none."""
    root = dataset.root if root is None else os.fspath(root)
    if root is None:
        raise UsageError(f"--dataset {dataset.name} needs --data_root, the folder where it lies")
    return root
