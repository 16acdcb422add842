"""A data set of the user's own, described by a YAML file."""

import os
import re

from segnet_hpu.config import read_yaml
from segnet_hpu.constants import VOID
from segnet_hpu.data.classes import MAX_CLASSES, PALETTES
from segnet_hpu.data.datasets.dataset import DataSet, Split
from segnet_hpu.errors import UsageError, nearest

KEYS = ("name", "root", "classes", "palette", "label_values", "label_colours", "ignore_label", "others", "splits")


def read_description(path):
    """Return the DataSet that a YAML file describes; docs/datasets.md explains the keys. Raises UsageError."""
    values = read_yaml("--dataset", path)
    try:
        return _made(os.fspath(path), values)
    except _Wrong as wrong:
        raise UsageError(f"--dataset {path}: {wrong}") from None


class _Wrong(Exception):
    """What is wrong with a description, what was expected."""


def _made(path, values):
    for key in values:
        if key not in KEYS:
            raise _Wrong(f"unknown key {key!r}; expected {', '.join(KEYS)}.{nearest(key, KEYS)}")
    names = _class_names(values.get("classes"))
    if "label_values" in values and "label_colours" in values:
        raise _Wrong("has both label_values and label_colours; expected one of them")
    void = values.get("ignore_label", VOID)
    if not _is_byte(void):
        raise _Wrong(f"ignore_label is {void!r}; expected a whole number from 0 to 255")
    ids = colours = None
    if "label_colours" in values:
        if "ignore_label" in values:
            raise _Wrong("has ignore_label beside label_colours; expected void: [red, green, blue] among the colours")
        colours = _mapping("label_colours", values["label_colours"], names, _colours)
    elif "label_values" in values:
        ids = {void: VOID} | _mapping("label_values", values["label_values"], names, _numbers)
    else:
        ids = {i: i for i in range(len(names))} | {VOID: VOID, void: VOID}
    folder = os.path.dirname(os.path.abspath(path))
    return DataSet(
        name=_text("name", values.get("name", os.path.splitext(os.path.basename(path))[0])), class_names=names,
        palette=_palette(values.get("palette"), len(names)), files=_splits(values.get("splits")), ids=ids,
        colours=colours, others=_class_id("others", values["others"], names) if "others" in values else None,
        root=os.path.join(folder, _text("root", values.get("root", "."))))


def _text(key, value):
    if not isinstance(value, (str, int)) or not str(value).strip():
        raise _Wrong(f"{key} is {value!r}; expected text, or leave the key out")
    return str(value)


def _class_names(names):
    sound = isinstance(names, list) and names and all(isinstance(n, (str, int)) and str(n).strip() for n in names)
    if not sound or len(names) > MAX_CLASSES:
        raise _Wrong(f"classes is {names!r}; expected a list of 1 to {MAX_CLASSES} names")
    names = tuple(str(name).strip() for name in names)
    if len(set(names)) < len(names) or "void" in names or any("," in name for name in names):
        raise _Wrong("classes: expected names that differ, without commas, and none of them void")
    return names


def _mapping(key, given, names, entries):
    """{value or colour: training id} from {class: one or several of them}."""
    if not isinstance(given, dict) or not given:
        raise _Wrong(f"{key} is {given!r}; expected lines of 'CLASS: ...'")
    mapping = {}
    for name, value in given.items():
        label = _class_id(key, name, names)
        for entry in entries(f"{key}: {name}", value):
            if mapping.setdefault(entry, label) != label:
                raise _Wrong(f"{key}: {entry} stands for two classes; expected one")
    return mapping


def _class_id(key, name, names):
    name = str(name)
    if name == "void":
        return VOID
    if name not in names:
        raise _Wrong(f"{key}: {name!r} is no class; expected one of {', '.join(names)}, or void."
                     f"{nearest(name, names)}")
    return names.index(name)


def _numbers(where, value):
    numbers = []
    for entry in value if isinstance(value, list) else [value]:
        numbers += _range(entry) if isinstance(entry, str) else [entry]
    if not all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1 << 16 for n in numbers):
        raise _Wrong(f"{where} is {value!r}; expected whole numbers from 0 to 65535, or ranges such as 128-255")
    return numbers


def _range(text):
    """The numbers of "first-last", both included; the text itself where it means none."""
    ends = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    if ends is None or int(ends[1]) > int(ends[2]):
        return [text]
    return range(int(ends[1]), int(ends[2]) + 1)


def _colours(where, value):
    colours = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    for colour in colours:
        if not isinstance(colour, list) or len(colour) != 3 or not all(map(_is_byte, colour)):
            raise _Wrong(f"{where} is {value!r}; expected [red, green, blue], each from 0 to 255, or a list of such")
    return [tuple(colour) for colour in colours]


def _is_byte(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255


def _palette(given, n_classes):
    """The text that data.classes.palette takes."""
    if given is None:
        return None
    if isinstance(given, list):
        colours = _colours("palette", given)
        if len(colours) == n_classes:
            return ",".join(bytes(colour).hex() for colour in colours)
    elif isinstance(given, str) and given in PALETTES and len(PALETTES[given]) >= n_classes:
        return given
    raise _Wrong(f"palette is {given!r}; expected {n_classes} colours [red, green, blue], one a class, or the name "
                 f"of a known palette with as many: {', '.join(PALETTES)}")


def _splits(given):
    if not isinstance(given, dict) or not given:
        raise _Wrong(f"splits is {given!r}; expected a split such as train: with images and labels below it")
    return {str(name): _split(f"splits: {name}", split) for name, split in given.items()}


def _split(where, given):
    form = isinstance(given, dict) and {"images", "labels"} <= set(given) <= {"images", "labels", "list"}
    if not form or not all(isinstance(v, str) and v for v in given.values()):
        raise _Wrong(f"{where} is {given!r}; expected images: and labels:, each a folder or a pattern, and at "
                     "most a list:")
    images, labels, listed = given["images"], given["labels"], given.get("list")
    stars = images.count("*")
    if stars != labels.count("*") or (listed and stars != 1):
        raise _Wrong(f"{where}: images {images} and labels {labels} do not fit; expected as many * in both"
                     + (", and one with a list" if listed else ""))
    return Split(images.rstrip("/"), labels.rstrip("/"), listed)
