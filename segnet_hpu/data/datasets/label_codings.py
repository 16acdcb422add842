"""Label files to training ids."""

from collections.abc import Iterable, Mapping

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.colours import Colour
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.labels import grey_bits, read_label, read_label_colours, read_label_values

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
    _refuse_stretched(path, np.unique(values), ids)
    label = table[values]
    if (label == UNKNOWN).any():
        raise _unknown(path, "value", _list(np.unique(values[label == UNKNOWN])), _list(ids))
    return label.astype(np.uint8)


def _refuse_stretched(path: str, values: np.ndarray, ids: Mapping[int, int]) -> None:
    """Raise BadFile for a file of less than 8 bits whose values mean other classes as viewers show them, up to 255.

    Where the values are training ids, they are what is stored.
    """
    bits = grey_bits(path)
    if not bits or bits >= 8 or all(label in (value, VOID) for value, label in ids.items()):
        return
    shown = values * (255 // (2 ** bits - 1))
    if np.isin(shown, list(ids)).all() and any(ids.get(v) != ids[s] for v, s in zip(values, shown, strict=True)):
        raise BadFile(path, f"has {bits} bit{'s' if bits > 1 else ''} a pixel: it holds {values[-1]} where viewers "
                      f"show {shown[-1]}, and these are different classes", "save it as 8-bit PNG, as it is shown")


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
