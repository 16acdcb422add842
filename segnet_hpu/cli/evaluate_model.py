"""`segnet-hpu evaluate_model`."""

from dataclasses import dataclass

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.inference.ways import PredictionSettings


@dataclass(kw_only=True)
class Settings(PredictionSettings):
    """Score a model against labels at their full resolution."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    images_path: str = option(REQUIRED, "folder of images")
    segs_path: str = option(REQUIRED, "folder of their labels")
    ignore_label: int | None = option(None, "label id left out (255 always is); the model's own if not set",
                                      minimum=0, maximum=255)
    class_names: str | None = option(None, "names a,b,c; the model's own if not set")
    batch_size: int = option(2, "images a forward pass", minimum=1)
    json: str | None = option(None, "write the scores to this file")
    train_engine: str = option("auto", "device", choices=("auto", "hpu", "gpu", "cpu"))


def run(settings):
    import json

    from segnet_hpu.data.folder import FolderSource
    from segnet_hpu.files import refuse_unwritable, write_text
    from segnet_hpu.inference.load import find_checkpoint

    settings.check()
    if settings.json:
        refuse_unwritable("--json", settings.json)
    source = FolderSource(settings.images_path, settings.segs_path)
    path = find_checkpoint(settings.checkpoints_path)
    from segnet_hpu.inference.appearance import Appearance
    from segnet_hpu.inference.evaluate import evaluate
    from segnet_hpu.inference.load import load_model
    from segnet_hpu.inference.scores import named_scores, score_table
    from segnet_hpu.runtime.device import select_device

    select_device(settings.train_engine)
    model, facts = load_model(path)
    n_classes = model.output_shape[-1]
    ignore = facts.get("ignore_label") if settings.ignore_label is None else settings.ignore_label
    appearance = Appearance.of(n_classes, settings.class_names or facts.get("class_names"), facts.get("palette"))
    matrix = evaluate(model, source, n_classes, ignore, predictor=settings.predictor(model, settings.batch_size))
    scores = named_scores(matrix, appearance.names)
    if settings.json:
        write_text(settings.json, json.dumps(scores, indent=2))
    print(score_table(scores))
