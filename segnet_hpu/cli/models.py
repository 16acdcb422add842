"""`segnet-hpu models`: which networks there are and what they cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import option
from segnet_hpu.constants import ONE_AND_BACKGROUND
from segnet_hpu.errors import UsageError
from segnet_hpu.files import write_image, write_text
from segnet_hpu.interchange.published import PUBLISHED
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.options import as_text, model_options, parse_model_options
from segnet_hpu.models.registry import MODELS, find, input_size
from segnet_hpu.runtime.device import BackendSettings
from segnet_hpu.signature import MODELS as MODEL_TABLE
from segnet_hpu.signature import PICTURE

PLAIN = ("name", "encoder", "decoder", "input", "pretrained")
LAYERS = ("layer", "type", "output", "parameters")
# What is about one model, and why.
OF_ONE = {"plot": "draws one network", "layers": "lists one network's layers", "model_options": "sets one network's"}
DETAILS = ("name", "encoder", "decoder", "input", "output", "output_stride", "parameters", "gflops", "pretrained")


@dataclass
class Settings(Outputs, BackendSettings):
    """List the models; with --name or --all also parameters, GFLOPs and output size, which takes seconds."""

    name: str | None = option(None, "details of these models: a,b,c; one may be MODULE:NAME, a function "
                             "(n_classes, height, width) -> keras.Model of your own")
    all: bool = option(False, "details of every model of the list")
    n_classes: int = option(12, "number of classes, for the details", minimum=2, maximum=255,
                           example=ONE_AND_BACKGROUND)
    input_height: int | None = option(None, "pixels; the model's own if not set", minimum=1)
    input_width: int | None = option(None, "pixels; the model's own if not set", minimum=1)
    model_options: str | None = option(None, "options of the model of --name, such as output_stride=8,separable=true",
                                       parse=parse_model_options)
    layers: bool = option(False, "list the layers of the model of --name, with the sizes of their maps")
    json: str | None = option(None, "write the table to this file")
    plot: str | None = option(None, "draw the network of --name into this file (.png or .jpg)")


def run(settings: Settings) -> None:
    names = settings.name.split(",") if settings.name else list(MODELS)
    for flag, reason in OF_ONE.items():
        if getattr(settings, flag) and (not settings.name or len(names) > 1):
            raise UsageError(f"--{flag} {reason}; expected --name with one model")
    rows = [_known(name, settings) for name in names]
    if settings.plot and not settings.plot.lower().endswith((".png", ".jpg", ".jpeg")):
        raise UsageError(f"--plot {settings.plot}: expected a name that ends in .png or .jpg")
    settings.check_output("json", MODEL_TABLE)
    settings.check_output("plot", PICTURE)
    detailed = settings.name or settings.all
    if detailed:
        rows = [row | _details(row["name"], settings) for row in rows]
    if settings.json:
        write_text(settings.json, json.dumps(rows, indent=1))
    print(_table(rows, DETAILS if detailed else PLAIN))
    if settings.name and len(names) == 1:
        print(f"options: {as_text(rows[0]['options']) or 'none'}")
    if settings.layers:
        print(_table(rows[0]["layers"], LAYERS))
    if not detailed:
        print(f"\nAlso every ENCODER_DECODER of {', '.join(sorted(encoders.names()))} "
              f"with {', '.join(sorted(decoders.names()))}.")


def _known(name: str, settings: Settings) -> dict[str, Any]:
    """What is known of a model without building it."""
    if ":" in name:
        return _own(name, settings)
    spec = find(name)
    options = {**spec.options} | model_options(name, settings.model_options)
    size = input_size(name, settings.input_height, settings.input_width, options.get("level"))
    return {"name": name, "encoder": spec.encoder or spec.network, "decoder": spec.decoder, "input": list(size),
            "options": options,
            "pretrained": PUBLISHED[spec.encoder].url if spec.encoder in PUBLISHED else None}


def _own(name: str, settings: Settings) -> dict[str, Any]:
    """The same of a model of the user's own, of which only the calls are known."""
    height, width = settings.input_height, settings.input_width
    if not height or not width:
        raise UsageError(f"--name {name}: a model of your own needs --input_height and --input_width")
    if settings.model_options:
        raise UsageError("--model_options is for the models that `segnet-hpu models` lists, not for "
                         f"{name}; leave it out")
    return {"name": name, "encoder": None, "decoder": None, "input": [height, width], "options": {},
            "pretrained": None}


def _details(name: str, settings: Settings) -> dict[str, Any]:
    """What only the built network tells; draws it too if asked for."""
    from segnet_hpu.models.cost import gflops, layer_sizes, outline, parameters

    model = outline(name, settings.n_classes, settings.input_height, settings.input_width,
                    **model_options(name, settings.model_options))
    _, rows, columns, _ = model.output_shape
    if settings.plot:
        from segnet_hpu.inference.diagram import draw

        write_image(settings.plot, draw(model))
    return {"output": [rows, columns], "output_stride": round(model.input_shape[1] / rows),
            "parameters": parameters(model), "gflops": round(gflops(model), 3),
            **({"layers": layer_sizes(model)} if settings.layers else {})}


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The rows as aligned text; the pretrained weights by their name only."""
    cells = [list(columns)] + [[_cell(column, row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
                     for line in cells)


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if column == "pretrained":
        return "imagenet"
    return "x".join(map(str, value)) if isinstance(value, list) else \
        f"{value:,}" if isinstance(value, int) else str(value)
