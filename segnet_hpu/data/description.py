"""The YAML file that describes a converted data set, for --dataset FILE."""

import yaml

from segnet_hpu.data.classes import palette
from segnet_hpu.data.datasets.folder import FOLDER
from segnet_hpu.data.target import files_of


def write_description(path, dataset, splits):
    """Write names and colours of a DataSet's classes, and where the folders of the splits lie, beside them."""
    files = {split: files_of(FOLDER, split) for split in splits}
    description = {
        "name": dataset.name,
        "classes": list(dataset.class_names),
        "palette": palette(dataset.palette, dataset.n_classes).tolist(),
        "ignore_label": dataset.ignore_label,
        "splits": {split: {"images": images, "labels": labels} for split, (images, labels, _) in files.items()},
    }
    text = yaml.safe_dump(description, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
