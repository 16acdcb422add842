"""What travels with an exported file: labels.json, the classes' names and colours, and what goes in and out."""

import json

from segnet_hpu.models.registry import divisor_of


def describe(serving, format, names, colours, ignore_label=None, equalises=False):
    """Return the text of labels.json.

    names, colours: of the classes, the latter uint8 (n, 3), RGB. Sides that may be any are null; `multiple_of`
    is what they must divide by, where the registry knows the network. equalises: the network was trained on pictures
    that went through CLAHE, which the file does not do.
    """
    height, width, channels = serving.model.input_shape[1:]
    chosen = "tflite" if format.startswith("tflite") else format
    picture = {"name": "image", "shape": [1 if chosen == "tflite" else None, height, width, channels],
               "dtype": "uint8" if format == "tflite_int8" else "float32", "values": "RGB, 0..255",
               "clahe": {"clip_limit": 1.0, "tiles": [8, 8], "channel": "L of LAB"} if equalises else None,
               "multiple_of": divisor_of(serving.model) if height is None else None}
    classes = [{"id": i, "name": name, "colour": list(map(int, colour))}
               for i, (name, colour) in enumerate(zip(names, colours, strict=True))]
    return json.dumps({"model": serving.model.name, "format": format, "input": picture, "output": serving.output,
                       "ignore_label": ignore_label, "classes": classes}, indent=1)
