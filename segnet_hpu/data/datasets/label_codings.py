"""Label files to training ids."""

from collections.abc import Iterable, Mapping

import numpy as np

from segnet_hpu.data.colours import Colour
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.labels import read_label, read_label_colours, read_label_values

LISTED = 8
UNKNOWN = -1


def from_values(path: str, ids: Mapping[int, int] | None = None, others: int | None = None) -> np.ndarray:
    """Return uint8 (H, W): the training ids of the values in a label file of 8 or 16 bits.

    ids: {value: training id}; None where the values are training ids. others: training id of all other values;
    for None they raise BadFile.
    """
    if ids is None:
        return read_label(path)
    values = read_label_values(path)
    table = np.full(1 << 16, UNKNOWN if others is None else others, np.int16)
    table[list(ids)] = list(ids.values())
    label = table[values]
    if (label == UNKNOWN).any():
        raise _unknown(path, "value", _list(np.unique(values[label == UNKNOWN])), _list(ids))
    return label.astype(np.uint8)


def from_colours(path: str, colours: Mapping[Colour, int], others: int | None = None) -> np.ndarray:
    """Return uint8 (H, W): the training ids of the colours in a picture.

    colours: {(red, green, blue): training id}. others: training id of all other colours; for None they raise
    BadFile, as resizing or JPEG compression make them.
    """
    red, green, blue = np.moveaxis(read_label_colours(path).astype(np.int32), 2, 0)
    codes = red << 16 | green << 8 | blue
    label = np.full(codes.shape, UNKNOWN if others is None else others, np.int16)
    for colour, training_id in colours.items():
        label[codes == int.from_bytes(colour, "big")] = training_id
    if (label == UNKNOWN).any():
        found = [f"{code:06x}" for code in np.unique(codes[label == UNKNOWN])[:LISTED + 1].tolist()]
        raise _unknown(path, "colour", _list(found), _hex_list(colours))
    return label.astype(np.uint8)


def _unknown(path: str, kind: str, found: str, known: str) -> BadFile:
    return BadFile(path, f"holds the {kind} {found}; expected {known}",
                   "take the file as published, neither resized nor compressed anew, or map it in the description")


def _list(values: Iterable[object]) -> str:
    texts = list(map(str, values))
    return ", ".join(texts[:LISTED]) + (" and more" if len(texts) > LISTED else "")


def _hex_list(colours: Iterable[Colour]) -> str:
    return _list(bytes(colour).hex() for colour in colours)
