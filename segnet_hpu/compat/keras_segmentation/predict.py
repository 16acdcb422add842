"""keras_segmentation's `predict`, `predict_multiple`, `predict_video` and `evaluate`, over our inference.

As there, pictures given as arrays and `colors` are in OpenCV's BGR order, and class maps come at the size of
the model's output. A model is given as such, or as what `--checkpoints_path` takes.
"""

import os
from pathlib import Path

import numpy as np

from segnet_hpu.compat.keras_segmentation.pictures import GivenPairs, picture_of
from segnet_hpu.data.appearance import Appearance
from segnet_hpu.data.file_pairs import IMAGE_FORMATS, files_by_stem
from segnet_hpu.data.source import FolderSource
from segnet_hpu.errors import UsageError
from segnet_hpu.files import write_image
from segnet_hpu.models.trained_model import TrainedModel


def predict(model=None, inp=None, out_fname=None, checkpoints_path=None, overlay_img=False, class_names=None,
            show_legends=False, colors=None, prediction_width=None, prediction_height=None, read_image_type=1):
    """Return the class map, int64 (h, w) of the model's output, of one picture; draw it if `out_fname` is given.

    inp: path, or (H, W, C) BGR, 0..255. out_fname: file for the drawing, at the picture's own size, or at
    prediction_width x prediction_height pixels. overlay_img: draw over the picture. class_names: list of text
    for the legend. colors: n_classes x 3, BGR. read_image_type: 1 reads paths in colour, 0 in grey.
    Raises UsageError for what cannot be read or written.
    """
    _refuse_missing(inp=inp)
    return predict_multiple(model, [inp], None, None, checkpoints_path, overlay_img, class_names, show_legends,
                            colors, prediction_width, prediction_height, read_image_type, out_fnames=[out_fname])[0]


def predict_multiple(model=None, inps=None, inp_dir=None, out_dir=None, checkpoints_path=None,
                     overlay_img=False, class_names=None, show_legends=False, colors=None, prediction_width=None,
                     prediction_height=None, read_image_type=1, *, out_fnames=None):
    """Return the class maps of pictures, `inps` or those in the folder `inp_dir`; see `predict`.

    out_dir: draw them into this folder, under the pictures' names with the ending .png, or 0.png, 1.png, ...
    for arrays. out_fnames: files in place of out_dir, None for no drawing.
    """
    from segnet_hpu.inference.label_pictures import drawer, refuse_doubles, refuse_overwriting
    from segnet_hpu.inference.predictor import Predictor

    if read_image_type not in (0, 1):
        raise UsageError(f"read_image_type is {read_image_type}; expected 1 (colour) or 0 (grey)")
    size = _size(prediction_height, prediction_width)
    trained = _trained(model, checkpoints_path)
    model = trained.network
    if inps is None:
        _refuse_missing(inp_dir=inp_dir)
        inps = [path for paths in files_by_stem(inp_dir, IMAGE_FORMATS).values() for path in paths]
    if out_fnames is None:
        out_fnames = [out_dir and _result(out_dir, inp, i) for i, inp in enumerate(inps)]
    drawn = [pair for pair in zip(inps, out_fnames, strict=True) if pair[1]]
    refuse_doubles(drawn)
    refuse_overwriting([(Path(inp), Path(result)) for inp, result in drawn if not isinstance(inp, np.ndarray)])
    if overlay_img and any(out_fnames) and model.input_shape[-1] not in (1, 3):
        raise UsageError(f"overlay_img draws over pictures of 1 or 3 channels, {model.name} takes "
                         f"{model.input_shape[-1]}; leave it out")
    predictor = Predictor(trained)
    draw = drawer("overlay" if overlay_img else "colour", _appearance(trained, class_names, colors),
                  show_legends)
    return [_predict(predictor, draw, picture_of(inp, read_image_type), result, size)
            for inp, result in zip(inps, out_fnames, strict=True)]


def predict_video(model=None, inp=None, output=None, checkpoints_path=None, display=False, overlay_img=True,
                  class_names=None, show_legends=False, colors=None, prediction_width=None, prediction_height=None):
    """Label every frame of a video; see `predict` for the arguments in common.

    inp: path of a video, number of a camera, URL, or pattern such as frames_%04d.png. output: file, .mp4 or .avi,
    with the frames' size and rate, or None; a legend makes the frames wider. display: show the frames until q or
    Esc is pressed. Ctrl-C leaves a playable file and raises Stopped. Raises UsageError for what cannot be read,
    written or shown.
    """
    import contextlib

    from segnet_hpu.errors import Stopped
    from segnet_hpu.inference.label_pictures import drawer
    from segnet_hpu.inference.predictor import Predictor
    from segnet_hpu.inference.video import label_file
    from segnet_hpu.inference.video_files import VideoReader, Window, check_output
    from segnet_hpu.runtime.stop_signals import StopSignals

    size = _size(prediction_height, prediction_width)
    if output:
        check_output("output", output, inp)
    with VideoReader(inp) as reader, Window() if display else contextlib.nullcontext() as window:
        trained = _trained(model, checkpoints_path)
        model = trained.network
        draw = drawer("overlay" if overlay_img else "colour", _appearance(trained, class_names, colors),
                      show_legends)
        with StopSignals() as signals:
            line = label_file(Predictor(trained), reader, output, draw, window=window, size=size,
                              stopped=lambda: signals.caught)
    if signals.caught:
        raise Stopped(f"stopped; {line}", signals.caught)


def evaluate(model=None, inp_images=None, annotations=None, inp_images_dir=None, annotations_dir=None,
             checkpoints_path=None, read_image_type=1, *, ignore_label=None):
    """Return {"frequency_weighted_IU", "mean_IU", "class_wise_IU"} at the labels' own size.

    inp_images, annotations: lists of paths, or of arrays, BGR (H, W, 3) and class ids (H, W), which may also be the
    first of three channels; or two folders. ignore_label: an id left out beside 255; the
    checkpoint's own if not set. class_wise_IU is float64 (n_classes,), nan for classes that no label
    holds; they do not count in the mean. read_image_type: 1, colour, is the only one.
    """
    from segnet_hpu.evaluation.evaluate import evaluate as confusion_of
    from segnet_hpu.inference.predictor import Predictor

    if read_image_type != 1:
        raise UsageError(f"read_image_type is {read_image_type}; evaluate reads pictures in colour, which is 1")
    trained = _trained(model, checkpoints_path)
    model = trained.network
    refuse_other_than_rgb(model, "evaluate")
    if inp_images is None:
        _refuse_missing(inp_images_dir=inp_images_dir, annotations_dir=annotations_dir)
        source = FolderSource(inp_images_dir, annotations_dir)
    else:
        counts = [0 if given is None else len(given) for given in (inp_images, annotations)]
        if counts[0] != counts[1]:
            raise UsageError(f"{counts[0]} images and {counts[1]} annotations; expected as many")
        source = GivenPairs(inp_images, annotations)
    ignore = trained.ignore_label if ignore_label is None else ignore_label
    scores = confusion_of(Predictor(trained, batch_size=2), source, model.output_shape[-1], ignore).scores()
    return {"frequency_weighted_IU": scores["frequency_weighted_iou"], "mean_IU": scores["mean_iou"],
            "class_wise_IU": np.array([row["iou"] for row in scores["per_class"]], float)}


def refuse_other_than_rgb(model, what):
    """Raise UsageError for a model of other than 3 channels, which `what` has no pictures for."""
    channels = model.input_shape[-1]
    if channels != 3:
        raise UsageError(f"{model.name} takes {channels} channels; {what} reads RGB pictures, which have 3. Expected "
                         "a model of 3 channels; softmax_model(model) can be fitted and evaluated by Keras itself")


def _refuse_missing(**inputs):
    for name, value in inputs.items():
        if value is None:
            raise UsageError(f"{name} is not given; expected what to predict")


def _trained(model, checkpoints_path):
    """The TrainedModel of a model with methods, of any other network, or of a checkpoint."""
    if model is not None:
        return getattr(model, "trained", TrainedModel.of(model))
    if checkpoints_path is None:
        raise UsageError("neither model nor checkpoints_path is given; expected one of them")
    from segnet_hpu.interchange.load import load

    return load(checkpoints_path)


def _size(height, width):
    if (width is None) != (height is None):
        raise UsageError("only one of prediction_width and prediction_height is given; expected both or none")
    return height and (height, width)


def _appearance(trained, class_names, colors):
    n_classes, appearance = trained.n_classes, trained.appearance()
    names = list(class_names or appearance.names)
    colours = appearance.colours if colors is None else np.array(colors, np.uint8)[:, ::-1]
    for what, values in (("class_names", names), ("colors", colours)):
        if len(values) < n_classes:
            raise UsageError(f"{what} has {len(values)} entries; expected {n_classes}, one a class")
    return Appearance(names, colours)


def _result(out_dir, inp, i):
    return Path(out_dir) / (f"{i}.png" if isinstance(inp, np.ndarray) else Path(inp).with_suffix(".png").name)


def _predict(predictor, draw, image, result, size):
    import cv2

    from segnet_hpu.inference.predictor import classes_at

    channels = predictor.model.input_shape[-1]
    if image.shape[2] != channels:
        raise UsageError(f"the picture has {image.shape[2]} channels, {predictor.model.name} takes {channels}; "
                         "read_image_type=0 reads pictures as one, grey")
    # OpenCV drops the third axis of a grey picture.
    logits, = predictor.run([np.atleast_3d(predictor.prepare(image))])
    if result:
        shown = np.repeat(image, 3, axis=2) if channels == 1 else image
        shown = cv2.resize(shown, size[::-1]) if size else shown
        write_image(os.fspath(result), draw(shown, classes_at(logits, shown.shape[:2])))
    return logits.argmax(-1)
