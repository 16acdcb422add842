"""The number of bytes that LZW codes of a TIFF file stand for, many codes at a time."""

import numpy as np

CLEAR, END, FIRST = 256, 257, 258  # codes; entries of the table begin at FIRST
OLD = b"\x00\x01"  # how data of before TIFF 6.0 begin, whose codes lie the other way round
# Bits of the codes that follow a CLEAR: a code is one bit longer once the table holds 511, 1023 and 2047 entries.
WIDTHS = 9 + np.searchsorted([511, 1023, 2047], FIRST + np.arange(-1, 4096 - FIRST), "right")
STARTS = np.concatenate([[0], np.cumsum(WIDTHS)])


def lzw_length(data: bytes, most: int) -> int | None:
    """Return how many bytes the codes stand for; None where one stands for none. Ends where there are over `most`.

    Old data, which are not looked into, have the length `most`.
    """
    if data.startswith(OLD):
        return most
    padded = np.frombuffer(data + bytes(4), np.uint8)
    at, bits, length = 0, 8 * len(data), 0
    while at + 9 <= bits and length <= most:
        codes = _codes(padded, at, bits)
        ends = np.flatnonzero((codes == CLEAR) | (codes == END))
        count = int(ends[0]) if len(ends) else len(codes)
        found = _lengths(codes[:count])
        if found is None:
            return None
        length += found
        if count == len(codes) or codes[count] == END:
            break
        at += int(STARTS[count + 1])
    return length


def _codes(padded: np.ndarray, at: int, bits: int) -> np.ndarray:
    """The codes from a bit on, a CLEAR before them, up to the end of the data or of the table."""
    places = at + STARTS[:-1]
    places = places[places + WIDTHS <= bits]
    byte = places >> 3
    window = padded[byte].astype(np.int64) << 16 | padded[byte + 1].astype(np.int64) << 8 | padded[byte + 2]
    widths = WIDTHS[:len(places)]
    return window >> (24 - (places & 7) - widths) & (1 << widths) - 1


def _lengths(codes: np.ndarray) -> int | None:
    """How many bytes codes without CLEAR stand for: an entry is one byte longer than the code it was made at."""
    before = codes - FIRST
    if (before >= np.arange(len(codes))).any():
        return None
    length, parent = np.ones(len(codes), np.int64), np.where(before < 0, -1, before)
    while (longer := np.flatnonzero(parent >= 0)).size:
        length[longer], parent[longer] = length[longer] + length[parent[longer]], parent[parent[longer]]
    return int(length.sum())
