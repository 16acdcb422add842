"""`segnet-hpu predict`."""

from dataclasses import dataclass

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.classes import PALETTES
from segnet_hpu.errors import UsageError


@dataclass(kw_only=True)
class Settings:
    """Label a picture, or every picture below a folder, at its own size."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    input_path: str = option(REQUIRED, "picture, or folder of pictures")
    output_path: str = option(REQUIRED, "file, or folder, for the result; .png")
    ids: bool = option(False, "write class ids as a grey PNG")
    overlay: bool = option(False, "write the colours over the picture")
    legend: bool = option(False, "add a legend to the colours")
    class_names: str | None = option(None, "names a,b,c; the model's own if not set")
    palette: str | None = option(None, "colours of a known data set; the model's own if not set",
                                  choices=tuple(PALETTES))
    batch_size: int = option(1, "pictures a forward pass", minimum=1)
    train_engine: str = option("auto", "device", choices=("auto", "hpu", "gpu", "cpu"))


def run(settings):
    if settings.ids and (settings.overlay or settings.legend):
        raise UsageError("--ids writes class ids, which have no colours; leave out --overlay and --legend")
    if settings.ids and settings.output_path.lower().endswith((".jpg", ".jpeg")):
        raise UsageError(f"--output_path {settings.output_path}: JPEG alters class ids; "
                         "expected a name that ends in .png for --ids")
    from segnet_hpu.inference.label import drawer, find_pictures, label_pictures

    pairs = find_pictures(settings.input_path, settings.output_path)
    from segnet_hpu.inference.appearance import Appearance
    from segnet_hpu.inference.load import find_checkpoint, load_model
    from segnet_hpu.runtime.device import select_device

    path = find_checkpoint(settings.checkpoints_path)
    select_device(settings.train_engine)
    model, facts = load_model(path)
    appearance = Appearance.of(model.output_shape[-1], settings.class_names or facts.get("class_names"),
                               settings.palette or facts.get("palette"))
    kind = "ids" if settings.ids else "overlay" if settings.overlay else "colour"
    label_pictures(model, pairs, drawer(kind, appearance, settings.legend), settings.batch_size)
    print(f"{len(pairs)} picture{'s' if len(pairs) > 1 else ''} labelled by {path}: {settings.output_path}")
