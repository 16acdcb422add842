"""Known data sets whose layout and label values a folder fits."""

from collections.abc import Iterator

from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.registry import NAMES, find
from segnet_hpu.errors import UsageError

LABELS = 4  # that are read


def known_layouts(folder: str) -> Iterator[str]:
    """Yield a line for each known data set as whose files those of `folder` lie, labels and their values too."""
    for name in NAMES:
        dataset = find(name)
        splits = [split for split in dataset.splits if dataset.class_names and _fits(dataset, folder, split)]
        if splits:
            yield (f"laid out as {name}, splits {', '.join(splits)}: if it is that, --dataset {name} --data_root "
                   f"{folder} has its classes' names, colours and void")


def _fits(dataset: DataSet, folder: str, split: str) -> bool:
    try:
        pairs, missing = dataset.match(folder, split)
        for pair in pairs[:LABELS]:
            dataset.read_label(pair.label)
    except UsageError:
        return False
    return bool(pairs) and not missing
