"""What travels with an exported file: labels.json, the classes' names and colours, and what goes in and out."""

import json

from segnet_hpu.data.appearance import Appearance
from segnet_hpu.interchange.export.formats import ExportFormat
from segnet_hpu.interchange.export.serving import Serving
from segnet_hpu.models.encoder_stages import divisor_of
from segnet_hpu.models.trained_model import InputCoding


def describe(serving: Serving, export_format: ExportFormat, appearance: Appearance, ignore_label: int | None,
             coding: InputCoding) -> str:
    """Return the text of labels.json.

    Sides that may be any are null; `multiple_of` is what they must divide by, where the network says so.
    `downsampling` says how larger pictures are brought to its size, and `clahe` what they must go through then, if
    they did in training: the file does neither.
    """
    height, width, channels = serving.model.input_shape[1:]
    picture = {"name": "image", "shape": [None if export_format.batches else 1, height, width, channels],
               "dtype": export_format.dtype,
               "values": "RGB, {:g}..{:g}".format(*coding.value_range),
               "downsampling": coding.downsampling,
               "clahe": {"clip_limit": 1.0, "tiles": [8, 8], "channel": "L of LAB"} if coding.equalises else None,
               "multiple_of": divisor_of(serving.model) if height is None else None}
    classes = [{"id": i, "name": name, "colour": list(map(int, colour))}
               for i, (name, colour) in enumerate(zip(appearance.names, appearance.colours, strict=True))]
    return json.dumps({"model": serving.model.name, "format": export_format.name, "input": picture,
                       "output": serving.output, "ignore_label": ignore_label, "classes": classes}, indent=1)
