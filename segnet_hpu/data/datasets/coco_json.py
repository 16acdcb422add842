"""The parts of a COCO annotation file, one object at a time."""

import json
import re

_GAP = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


def read_lists(path, handlers):
    """Read a JSON object; call handlers[key](element, its text) for each element of its lists of these keys, in turn.

    Parsed as a whole, the 860,000 annotations of 2017 would take several times the memory of the file's text.
    Raises ValueError for what is no such file.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    at = _expect(text, _skip(text, 0), "{")
    while text[at:at + 1] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        if key in handlers and text[at:at + 1] == "[":
            at = _skip(text, at + 1)
            while text[at:at + 1] != "]":
                element, end = _DECODER.raw_decode(text, at)
                handlers[key](element, text[at:end])
                at = _skip(text, end)
            at = _skip(text, at + 1)
        else:
            _, at = _DECODER.raw_decode(text, at)
            at = _skip(text, at)


def _skip(text, at):
    return _GAP.match(text, at).end()


def _expect(text, at, mark):
    if text[at:at + 1] != mark:
        raise ValueError(f"no {mark} at character {at}")
    return _skip(text, at + 1)
