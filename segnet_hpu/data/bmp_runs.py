"""The run lengths of BMP files: OpenCV fills what damaged ones leave out without a word."""

import struct

RUN_LENGTHS = (1, 2)  # compression numbers, of 8 and of 4 bits
WINDOWS_HEADER = 40  # bytes; smaller ones, of OS/2, tell no compression
END_OF_ROW, END_OF_PICTURE, MOVE = 0, 1, 2


def runs_damage(data: bytes) -> str | None:
    """Return what is wrong with the run-length coded pixels of a BMP file, or None; None for those without.

    Every row must be filled by its runs, and every row must be there.
    """
    start, header, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", data.ljust(34, b"\0"), 10)
    if header < WINDOWS_HEADER or compression not in RUN_LENGTHS:
        return None
    at, x, rows = start, 0, 0
    while at + 2 <= len(data):
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            x += count
        elif value == END_OF_PICTURE:
            rows += x == width
            return None if rows == abs(height) else "damaged (its rows are not complete)"
        elif value == END_OF_ROW:
            if x != width:
                return "damaged (a row is not complete)"
            x, rows = 0, rows + 1
        elif value == MOVE:
            return "damaged (pixels are left out)"
        else:  # so many pixels as they are, an even number of bytes
            x += value
            at += (value * bits + 15) // 16 * 2
        if x > width:
            return "damaged (a row is too long)"
    return "truncated"
