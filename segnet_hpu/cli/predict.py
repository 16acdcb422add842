"""`segnet-hpu predict`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.classes import PALETTES
from segnet_hpu.errors import UsageError
from segnet_hpu.files import write_image
from segnet_hpu.inference.settings import PredictionSettings
from segnet_hpu.runtime.device import DeviceSettings, select_device
from segnet_hpu.signature import NUMBERS, PICTURE

if TYPE_CHECKING:
    import numpy as np
    
    from segnet_hpu.inference.monte_carlo import SampledPrediction
    from segnet_hpu.models.trained_model import TrainedModel

Draw = Callable[["np.ndarray", "np.ndarray"], "np.ndarray"]


@dataclass(kw_only=True)
class Settings(DeviceSettings, Outputs, PredictionSettings):
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
    batch_size: int = option(1, "pictures (samples or windows of one) a forward pass", minimum=1)
    mc_samples: int | None = option(None, "predict by the mean of so many passes with dropout, and also write "
                                    "NAME_mean.png, NAME_uncertainty.png and NAME_mc.npz", minimum=2)
    seed: int = option(0, "of the dropped units", minimum=0, maximum=2**32 - 1)


def run(settings: Settings) -> None:
    settings.check()
    if settings.mc_samples and not settings.is_plain:
        raise UsageError("--mc_samples takes its own mean; leave out --tta, --scales and --tile")
    if settings.ids and (settings.overlay or settings.legend):
        raise UsageError("--ids writes class ids, which have no colours; leave out --overlay and --legend")
    if settings.ids and settings.output_path.lower().endswith((".jpg", ".jpeg")):
        raise UsageError(f"--output_path {settings.output_path}: JPEG alters class ids; "
                         "expected a name that ends in .png for --ids")
    from segnet_hpu.data.jpeg_damage import warn_of_corrupt
    from segnet_hpu.inference.label_pictures import drawer, find_pictures, label_pictures

    pairs = find_pictures(settings.input_path, settings.output_path)
    results = [result for _, result in pairs]
    if settings.mc_samples:
        from segnet_hpu.inference.uncertainty import beside, refuse_clashes

        refuse_clashes(pairs)
        results += [path for result in results for path in beside(result)]
    from segnet_hpu.training.run_folder import files_of_run

    settings.check_replaced("output_path", results, (PICTURE, NUMBERS), files_of_run(settings.checkpoints_path))
    from segnet_hpu.interchange.load import find_checkpoint, load

    path = find_checkpoint(settings.checkpoints_path)
    select_device(settings.train_engine, backend=settings.backend)
    trained = load(path)
    appearance = trained.appearance(settings.class_names, settings.palette)
    kind = "ids" if settings.ids else "overlay" if settings.overlay else "colour"
    draw = drawer(kind, appearance, settings.legend)
    samples = settings.mc_samples
    predictor, write = _sampled(trained, draw, settings, samples) if samples else _plain(trained, draw, settings)
    label_pictures(predictor, pairs, write, settings.image_coding.over(trained.input_coding.files))
    warn_of_corrupt([str(picture) for picture, _ in pairs])
    print(f"{len(pairs)} picture{'s' if len(pairs) > 1 else ''} labelled by {path}: {settings.output_path}")
    if settings.mc_samples:
        largest = (len(appearance.names) - 1) / len(appearance.names)**2
        print("NAME_mean.png: 255 for a mean softmax of 1. NAME_uncertainty.png: 255 for a variance of "
              f"{largest:.4g}, falling with its square root. NAME_mc.npz: both as numbers")


def _plain(trained: "TrainedModel", draw: Draw, settings: Settings) -> tuple[Any, Callable[..., None]]:
    """Return the predictor, and the function that writes what it yields."""
    predictor = settings.predictor(trained, settings.batch_size)

    def write(image: "np.ndarray", result: Any, path: Path) -> None:
        write_image(path, draw(image, predictor.classes(result, image.shape[:2])))

    return predictor, write


def _sampled(trained: "TrainedModel", draw: Draw, settings: Settings,
             samples: int) -> tuple[Any, Callable[..., None]]:
    """The same, of the mean of so many passes with dropout."""
    from segnet_hpu.inference.monte_carlo import MonteCarloPredictor
    from segnet_hpu.inference.predictor import classes_at

    def write(image: "np.ndarray", sampled: "SampledPrediction", path: Path) -> None:
        size = image.shape[:2]
        write_image(path, draw(image, classes_at(sampled.mean, size)))
        sampled.write(path, size)

    return MonteCarloPredictor(trained, samples, settings.batch_size, settings.seed), write
