"""A data set that a YAML file describes; docs/datasets.md explains the keys."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from segnet_hpu.config import read_yaml
from segnet_hpu.constants import MAX_CLASSES, VOID
from segnet_hpu.data.colours import Colour, generated_colour
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.datasets.palettes import PALETTES
from segnet_hpu.data.image_coding import CODING_KEYS, ImageCoding
from segnet_hpu.errors import UsageError, nearest

Entry = TypeVar("Entry", int, Colour)  # what stands for a class in label files

KEYS = ("name", "root", "classes", "palette", "label_values", "label_colours", "ignore_label", "others", "splits",
        *CODING_KEYS)


def read_description(path: str) -> DataSet:
    """Return the DataSet that a YAML file describes. Raises UsageError."""
    return dataset_from(path, read_yaml("--dataset", path))


def dataset_from(path: str, values: Mapping[str, Any]) -> DataSet:
    """Return the DataSet that the values of a YAML file describe. path: of the file. Raises UsageError."""
    try:
        return _dataset(path, values)
    except _Wrong as wrong:
        raise UsageError(f"--dataset {path}: {wrong}") from None


class _Wrong(Exception):
    """What is wrong with a description, what was expected."""


def _dataset(path: str, values: Mapping[str, Any]) -> DataSet:
    for key in values:
        if key not in KEYS:
            raise _Wrong(f"unknown key {key!r}; expected {', '.join(KEYS)}.{nearest(key, KEYS)}")
    names = _class_names(values.get("classes"))
    if "label_values" in values and "label_colours" in values:
        raise _Wrong("has both label_values and label_colours; expected one of them")
    void = values.get("ignore_label", VOID)
    if not _is_byte(void):
        raise _Wrong(f"ignore_label is {void!r}; expected a whole number from 0 to 255")
    ids: dict[int, int] | None = None
    colour_ids: dict[Colour, int] | None = None
    if "label_colours" in values:
        if "ignore_label" in values:
            raise _Wrong("has ignore_label beside label_colours; expected void: [red, green, blue] among the colours")
        colour_ids = _mapping("label_colours", values["label_colours"], names, _colours)
    elif "label_values" in values:
        mapped = _mapping("label_values", values["label_values"], names, _numbers)
        if "ignore_label" in values and mapped.get(void, VOID) != VOID:
            raise _Wrong(f"ignore_label is {void}, which label_values gives to {names[mapped[void]]}; leave one out")
        ids = {void: VOID} | mapped
    else:
        ids = {i: i for i in range(len(names))} | {VOID: VOID, void: VOID}
    splits, folder = _splits(values.get("splits")), os.path.dirname(os.path.abspath(path))
    return DataSet(
        name=_text("name", values.get("name", os.path.splitext(os.path.basename(path))[0])), class_names=names,
        palette=_palette(values.get("palette"), len(names)) or _label_palette(colour_ids, len(names)),
        files={name: files[0] for name, files in splits.items()},
        more={name: tuple(files[1:]) for name, files in splits.items()}, ids=ids, colours=colour_ids,
        others=_class_id("others", values["others"], names) if "others" in values else None,
        image_files=_image_coding(values),
        root=os.path.join(folder, _text("root", values.get("root", "."))))


def _text(key: str, value: object) -> str:
    if not isinstance(value, (str, int)) or not str(value).strip():
        raise _Wrong(f"{key} is {value!r}; expected text, or leave the key out")
    return str(value)


def _image_coding(values: Mapping[str, Any]) -> ImageCoding:
    try:
        return ImageCoding.of(values)
    except ValueError as error:
        raise _Wrong(str(error)) from None


def _class_names(entries: Any) -> tuple[str, ...]:
    sound = isinstance(entries, list) and all(isinstance(n, (str, int)) and str(n).strip() for n in entries)
    if not sound or not 2 <= len(entries) <= MAX_CLASSES:
        raise _Wrong(f"classes is {entries!r}; expected a list of 2 to {MAX_CLASSES} names, as the "
                     "background is a class too")
    names = tuple(str(name).strip() for name in entries)
    if len(set(names)) < len(names) or "void" in names or any("," in name for name in names):
        raise _Wrong("classes: expected names that differ, without commas, and none of them void")
    return names


def _mapping(key: str, classes: object, names: tuple[str, ...],
             parse: Callable[[str, object], Iterable[Entry]]) -> dict[Entry, int]:
    """{value or colour: training id} from {class: one or several of them}."""
    if not isinstance(classes, dict) or not classes:
        raise _Wrong(f"{key} is {classes!r}; expected lines of 'CLASS: ...'")
    mapping: dict[Entry, int] = {}
    for name, value in classes.items():
        label = _class_id(key, name, names)
        for entry in parse(f"{key}: {name}", value):
            if mapping.setdefault(entry, label) != label:
                raise _Wrong(f"{key}: {entry} stands for two classes; expected one")
    return mapping


def _class_id(key: str, name: object, names: tuple[str, ...]) -> int:
    name = str(name)
    if name == "void":
        return VOID
    if name not in names:
        raise _Wrong(f"{key}: {name!r} is no class; expected one of {', '.join(names)}, or void."
                     f"{nearest(name, names)}")
    return names.index(name)


def _numbers(where: str, value: object) -> list[int]:
    numbers: list[Any] = []
    for entry in value if isinstance(value, list) else [value]:
        numbers += _range(entry) if isinstance(entry, str) else [entry]
    if not all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1 << 16 for n in numbers):
        raise _Wrong(f"{where} is {value!r}; expected whole numbers from 0 to 65535, or ranges such as 128-255")
    return numbers


def _range(text: str) -> Collection[int | str]:
    """The numbers of "first-last", both included; the text itself where it means none."""
    ends = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    if ends is None or int(ends[1]) > int(ends[2]):
        return [text]
    return range(int(ends[1]), int(ends[2]) + 1)


def _colours(where: str, value: Any) -> list[Colour]:
    listed = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    for colour in listed:
        if not isinstance(colour, list) or len(colour) != 3 or not all(map(_is_byte, colour)):
            raise _Wrong(f"{where} is {value!r}; expected [red, green, blue], each from 0 to 255, or a list of such")
    return [(red, green, blue) for red, green, blue in listed]


def _is_byte(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255


def _palette(value: object, n_classes: int) -> str | None:
    """The text that data.classes.palette takes."""
    if value is None:
        return None
    if isinstance(value, list):
        listed = _colours("palette", value)
        if len(listed) == n_classes:
            return ",".join(bytes(colour).hex() for colour in listed)
    elif isinstance(value, str) and value in PALETTES and len(PALETTES[value]) >= n_classes:
        return value
    raise _Wrong(f"palette is {value!r}; expected {n_classes} colours [red, green, blue], one a class, or the name "
                 f"of a known palette with as many: {', '.join(PALETTES)}")


def _label_palette(label_colours: Mapping[Colour, int] | None, n_classes: int) -> str | None:
    """The first colour of each class in its labels, as text for data.classes.palette; None without such."""
    if not label_colours:
        return None
    first: dict[int, Colour] = {}
    for colour, label in label_colours.items():
        first.setdefault(label, colour)
    return ",".join(bytes(first.get(i) or generated_colour(i)).hex() for i in range(n_classes))


def _splits(value: object) -> dict[str, list[Split]]:
    if not isinstance(value, dict) or not value:
        raise _Wrong(f"splits is {value!r}; expected a split such as train: with images and labels below it")
    return {str(name): _split(f"splits: {name}", split) for name, split in value.items()}


def _split(where: str, value: Any) -> list[Split]:
    """The files of a split: images and labels may be lists of one length, or the labels one for all images."""
    form = isinstance(value, dict) and {"images", "labels"} <= set(value) <= {"images", "labels", "list"}
    images, labels, listed = (_patterns(value.get(key)) if form else [] for key in ("images", "labels", "list"))
    labels = labels * len(images) if len(labels) == 1 else labels
    if not images or len(labels) != len(images) or len(listed) != ("list" in value):
        raise _Wrong(f"{where} is {value!r}; expected images: and labels:, each a folder or a pattern, or a list of "
                     "such, and at most a list:")
    if listed and len(images) > 1:
        raise _Wrong(f"{where} has a list: and several patterns; expected one pattern with it")
    return [_files(where, *both, *listed) for both in zip(images, labels, strict=True)]


def _patterns(value: object) -> list[str]:
    """The text, or the texts, of a key; none for anything else."""
    texts = value if isinstance(value, list) else [value]
    patterns = [text for text in texts if isinstance(text, str) and text]
    return patterns if len(patterns) == len(texts) else []


def _files(where: str, images: str, labels: str, listed: str | None = None) -> Split:
    stars = images.count("*")
    if stars != labels.count("*") or (listed and stars != 1):
        raise _Wrong(f"{where}: images {images} and labels {labels} do not fit; expected as many * in both"
                     + (", and one with a list" if listed else ""))
    return Split(images.rstrip("/"), labels.rstrip("/"), listed)
