"""What a run tells people: lines, and pictures of what the network sees."""

from pathlib import Path

from segnet_hpu.files import write_image
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.inference.render import grid, overlay, with_legend


def opening_line(run):
    """One line: what is trained, on what, from where."""
    settings, state = run.settings, run.state
    _, height, width, _ = run.model.input_shape
    place = f", going on at step {state.step} (epoch {state.epoch + 1})" if state.step else ""
    return (f"{run.model.name} {height}x{width}, {run.model.count_params():,} parameters, {settings.data_type} on "
            f"{run.device.description}: {len(run.loader.source)} images, {settings.epochs} epochs of "
            f"{run.steps} steps of {settings.batch_size}{place}")


def epoch_line(record, epochs):
    """One line an epoch, the same on a terminal and in a log."""
    text = (f"epoch {record['epoch']}/{epochs}: loss {record['loss']:.4f}, accuracy {record['accuracy']:.4f}, "
            f"{record['images_per_second']:.2f} images/s")
    if record.get("val_mean_iou") is not None:
        text += f"; val mean IoU {record['val_mean_iou']:.4f}, pixel accuracy {record['val_pixel_accuracy']:.4f}"
    return text


def closing_line(run):
    """One line: where the result lies and what to do next."""
    best = run.places.best
    return (f"best epoch {run.state.best_epoch}; the run lies in {run.places.folder}. Next: "
            f"segnet-hpu predict --checkpoints_path {best} --input_path FILE_OR_FOLDER --output_path OUT --overlay")


def panels(model, source, appearance, count):
    """Yield (name, picture): image, truth and prediction side by side, of the first samples."""
    predictor = Predictor(model)
    for i in range(min(count, len(source))):
        image, label = source[i]
        predicted, = predictor.predict([image])
        row = [image, overlay(image, label, appearance.colours), overlay(image, predicted, appearance.colours)]
        yield source.name(i), grid([row], [["image", "truth", "prediction"]])


def write_overlays(folder, model, source, appearance, count):
    """Write prediction overlays with a legend as FOLDER/NAME.png."""
    predictor = Predictor(model)
    for i in range(min(count, len(source))):
        image, _ = source[i]
        predicted, = predictor.predict([image])
        picture = with_legend(overlay(image, predicted, appearance.colours), appearance.names, appearance.colours)
        write_image(Path(folder) / f"{source.name(i)}.png", picture)

