"""Descriptions of data sets as `description` reads them, written."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from segnet_hpu.constants import VOID
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.folder import FOLDER
from segnet_hpu.data.datasets.palettes import colours


def write_description(path: Path, dataset: DataSet, splits: Iterable[str], as_stored: bool = False) -> None:
    """Describe the two folders of each split beside `path`: names and colours of the classes, values of the labels.

    dataset: whose classes they are. as_stored: the files hold what those of `dataset` do; else training ids, and
    images that need no explanation.
    """
    names = dataset.class_names or ()
    files = {split: FOLDER.split_to_write(split) for split in splits}
    description = {
        "name": dataset.name,
        "classes": list(names),
        "palette": list(map(list, colours(dataset.palette, len(names)))),
        **(coding(dataset) | dataset.image_files.noted() if as_stored else {"ignore_label": dataset.ignore_label}),
        "splits": {split: {"images": images, "labels": labels} for split, (images, labels, _) in files.items()},
    }
    path.write_text(description_text(description), encoding="utf-8")


def description_text(description: Mapping[str, Any]) -> str:
    """Return a description, or a part of one, as YAML."""
    import yaml

    return yaml.safe_dump(dict(description), sort_keys=False, default_flow_style=None, width=110, allow_unicode=True)


def coding(dataset: DataSet) -> dict[str, Any]:
    """Return the lines of a description that say what the values of a data set's label files mean."""
    names = [*(dataset.class_names or ()), *["void"] * VOID]
    lines: dict[str, Any] = {}
    if dataset.colours:
        by_class = _by_class(dataset.colours, names)
        lines["label_colours"] = {name: found if len(found) > 1 else found[0] for name, found in by_class.items()}
    elif dataset.ids:
        lines["label_values"] = {name: ranges(values) for name, values in _by_class(dataset.ids, names).items()}
    if dataset.others is not None:
        lines["others"] = names[dataset.others]
    return lines


def ranges(values: Iterable[int]) -> int | list[int | str]:
    """Return numbers as a description has them: three and more in a row as a range.

    >>> ranges([7, 0, 1, 2, 3]), ranges([4])
    (['0-3', 7], 4)
    """
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    listed: list[int | str] = []
    for run in runs:
        listed += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else run
    return listed[0] if len(listed) == 1 and isinstance(listed[0], int) else listed


def _by_class(table: Mapping[Any, int], names: Sequence[str]) -> dict[str, list[Any]]:
    """{class: its values or colours}, in the order of the classes."""
    entries: dict[str, list[Any]] = {}
    for entry, label in sorted(table.items(), key=lambda item: item[1]):
        entries.setdefault(names[label], []).append(list(entry) if isinstance(entry, tuple) else entry)
    return entries
