"""`segnet-hpu evaluate_model`."""

import json
from dataclasses import dataclass

from segnet_hpu.cli.data_flags import Labelled, dataset_of, names_for, open_labelled
from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.components import Choice
from segnet_hpu.config import REQUIRED, component, option
from segnet_hpu.errors import UsageError, warn
from segnet_hpu.evaluation.metrics import make_scorers, scores
from segnet_hpu.files import write_text
from segnet_hpu.inference.settings import PredictionSettings
from segnet_hpu.runtime.device import DeviceSettings, select_device
from segnet_hpu.signature import PICTURE, SCORES


@dataclass(kw_only=True)
class Settings(DeviceSettings, Outputs, PredictionSettings, Labelled):
    """Score a model against labels at their full resolution."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    ignore_label: int | None = option(None, "label id left out, and 255 with it; the model's own if not set",
                                      minimum=0, maximum=255)
    class_names: str | None = option(None, "names a,b,c; the model's own if not set")
    metrics: list[Choice] | None = component(scores, None, "further scores a,b", many=True)
    batch_size: int = option(2, "images a forward pass", minimum=1)
    json: str | None = option(None, "write the scores to this file")
    curve: str | None = option(None, "draw road's precision-recall curve to this file, .png or .jpg")


def run(settings: Settings) -> None:
    if settings.curve:
        _refuse_curve(settings, settings.curve)

    dataset = dataset_of(settings)
    from segnet_hpu.interchange.load import find_checkpoint
    from segnet_hpu.training.run_folder import files_of_run

    settings.check()
    source = open_labelled(settings)
    read = {file for pair in source.pairs for file in pair} | files_of_run(settings.checkpoints_path)
    for name, kind in (("json", SCORES), ("curve", PICTURE)):
        settings.check_output(name, kind, read)
    path = find_checkpoint(settings.checkpoints_path)
    from segnet_hpu.data.jpeg_damage import warn_of_corrupt
    from segnet_hpu.evaluation.evaluate import evaluate
    from segnet_hpu.evaluation.tables import named_scores, score_table, warn_of_never_predicted
    from segnet_hpu.inference.precision_recall import write_curve
    from segnet_hpu.interchange.load import load

    select_device(settings.train_engine, backend=settings.backend)
    trained = load(path)
    n_classes = trained.n_classes
    ignore = trained.ignore_label if settings.ignore_label is None else settings.ignore_label
    appearance = trained.appearance(names_for(dataset, trained, path, settings.class_names))
    scorers = make_scorers(settings.metrics, appearance.names)
    predictor = settings.predictor(trained, settings.batch_size)
    source = source.reading(source.coding.over(trained.input_coding.files)).checked(n_classes, ignore)
    card = evaluate(predictor, source, n_classes, ignore, scorers=scorers)
    source.finish_check(appearance.names, trained.label_palette)
    warn_of_corrupt(source.image_files)
    named = named_scores(card, appearance.names)
    if settings.json:
        write_text(settings.json, json.dumps(named, indent=2))
    if settings.curve and not write_curve(settings.curve, card, appearance.names):
        warn(f"--curve {settings.curve} is not written: no label holds the class that road scores")
    print(score_table(named))
    warn_of_never_predicted(card.matrix, appearance.names)


def _refuse_curve(settings: Settings, curve: str) -> None:
    if not curve.endswith((".png", ".jpg")):
        raise UsageError(f"--curve {curve}: expected a name that ends in .png or .jpg")
    if "road" not in map(str, settings.metrics or ()):
        raise UsageError("--curve draws what --metrics road counts; give that too")
