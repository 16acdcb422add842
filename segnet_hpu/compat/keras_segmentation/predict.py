"""keras_segmentation's `predict`, `predict_multiple` and `predict_video`, over our inference.

As there, pictures given as arrays and `colors` are in OpenCV's BGR order, and class maps come at the size of
the model's output. A model is given as such, or as what `--checkpoints_path` takes.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from segnet_hpu.compat.keras_segmentation.arrays import Picture, read_rgb
from segnet_hpu.data.appearance import Appearance
from segnet_hpu.data.file_pairs import IMAGE_FORMATS, files_by_stem
from segnet_hpu.data.images import shown
from segnet_hpu.errors import Stopped, UsageError
from segnet_hpu.files import StrPath, refuse_replacing, write_image
from segnet_hpu.inference.label_pictures import drawer, refuse_doubles, refuse_overwriting
from segnet_hpu.inference.predictor import Predictor, classes_at
from segnet_hpu.inference.video import label_file
from segnet_hpu.inference.video_files import VideoReader, Window, check_output
from segnet_hpu.interchange.load import load
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.runtime.stop_signals import StopSignals
from segnet_hpu.signature import PICTURE, VIDEO

if TYPE_CHECKING:
    import keras

Draw = Callable[[np.ndarray, np.ndarray], np.ndarray]


def predict(model: "keras.Model | None" = None, inp: Picture | None = None, out_fname: StrPath | None = None,
            checkpoints_path: str | Path | None = None, overlay_img: bool = False,
            class_names: Sequence[str] | None = None, show_legends: bool = False, colors: ArrayLike | None = None,
            prediction_width: int | None = None, prediction_height: int | None = None,
            read_image_type: int = 1) -> np.ndarray:
    """Return the class map, int64 (h, w) of the model's output, of one picture; draw it if `out_fname` is given.

    inp: path, or (H, W, C) BGR, 0..255. out_fname: file for the drawing, at the picture's own size, or at
    prediction_width x prediction_height pixels. overlay_img: draw over the picture. class_names: list of text
    for the legend. colors: n_classes x 3, BGR. read_image_type: 1 reads paths in colour, 0 in grey.
    Raises UsageError for what cannot be read or written.
    """
    refuse_missing(inp=inp)
    assert inp is not None
    return predict_multiple(model, [inp], None, None, checkpoints_path, overlay_img, class_names, show_legends,
                            colors, prediction_width, prediction_height, read_image_type, out_fnames=[out_fname])[0]


def predict_multiple(model: "keras.Model | None" = None, inps: Sequence[Picture] | None = None,
                     inp_dir: StrPath | None = None, out_dir: StrPath | None = None,
                     checkpoints_path: str | Path | None = None, overlay_img: bool = False,
                     class_names: Sequence[str] | None = None, show_legends: bool = False,
                     colors: ArrayLike | None = None, prediction_width: int | None = None,
                     prediction_height: int | None = None, read_image_type: int = 1, *,
                     out_fnames: Sequence[StrPath | None] | None = None) -> list[np.ndarray]:
    """Return the class maps of pictures, `inps` or those in the folder `inp_dir`; see `predict`.

    out_dir: draw them into this folder, under the pictures' names with the ending .png, or 0.png, 1.png, ...
    for arrays. out_fnames: files in place of out_dir, None for no drawing.
    """
    if read_image_type not in (0, 1):
        raise UsageError(f"read_image_type is {read_image_type}; expected 1 (colour) or 0 (grey)")
    size = _size(prediction_height, prediction_width)
    trained = trained_model(model, checkpoints_path)
    model = trained.network
    if inps is None:
        refuse_missing(inp_dir=inp_dir)
        assert inp_dir is not None
        inps = [path for paths in files_by_stem(inp_dir, IMAGE_FORMATS, below=False).values() for path in paths]
    if out_fnames is None:
        out_fnames = [_result(out_dir, inp, i) if out_dir else None for i, inp in enumerate(inps)]
        for result in out_fnames if out_dir else ():
            refuse_replacing("out_dir:", str(result), cure="choose another folder, or remove it", kinds=(PICTURE,))
    drawn = [(inp, Path(result)) for inp, result in zip(inps, out_fnames, strict=True) if result]
    refuse_doubles(drawn)
    refuse_overwriting([(Path(inp), result) for inp, result in drawn if not isinstance(inp, np.ndarray)])
    if overlay_img and any(out_fnames) and model.input_shape[-1] not in (1, 3):
        raise UsageError(f"overlay_img draws over pictures of 1 or 3 channels, {model.name} takes "
                         f"{model.input_shape[-1]}; leave it out")
    predictor = Predictor(trained)
    draw = drawer("overlay" if overlay_img else "colour", _appearance(trained, class_names, colors),
                  show_legends)
    return [_predict(predictor, draw, read_rgb(inp, read_image_type, trained.input_coding.files), result, size)
            for inp, result in zip(inps, out_fnames, strict=True)]


def predict_video(model: "keras.Model | None" = None, inp: str | int | None = None, output: str | None = None,
                  checkpoints_path: str | Path | None = None, display: bool = False, overlay_img: bool = True,
                  class_names: Sequence[str] | None = None, show_legends: bool = False,
                  colors: ArrayLike | None = None, prediction_width: int | None = None,
                  prediction_height: int | None = None) -> None:
    """Label every frame of a video; see `predict` for the arguments in common.

    inp: path of a video, number of a camera, URL, or pattern such as frames_%04d.png. output: file, .mp4 or .avi,
    with the frames' size and rate, or None; a legend makes the frames wider. display: show the frames until q or
    Esc is pressed. Ctrl-C leaves a playable file and raises Stopped. Raises UsageError for what cannot be read,
    written or shown.
    """
    refuse_missing(inp=inp)
    assert inp is not None
    size = _size(prediction_height, prediction_width)
    if output:
        check_output("output", output, inp)
        refuse_replacing("output", output, cure="choose another name, or remove it", kinds=(VIDEO,))
    with VideoReader(inp) as reader, Window() if display else contextlib.nullcontext() as window:
        trained = trained_model(model, checkpoints_path)
        reader.read_as(trained.input_coding.files)
        model = trained.network
        draw = drawer("overlay" if overlay_img else "colour", _appearance(trained, class_names, colors),
                      show_legends)
        with StopSignals() as signals:
            line = label_file(Predictor(trained), reader, output, draw, window=window, size=size,
                              stopped=lambda: signals.caught)
    if signals.caught:
        raise Stopped(f"stopped; {line}", signals.caught)


def refuse_missing(**inputs: Any) -> None:
    """Raise UsageError for an input that is None."""
    for name, value in inputs.items():
        if value is None:
            raise UsageError(f"{name} is not given; expected what to predict")


def trained_model(model: "keras.Model | None", checkpoints_path: str | Path | None) -> TrainedModel:
    """Return the TrainedModel of a model with methods, of any other network, or of a checkpoint."""
    if model is not None:
        return getattr(model, "trained", TrainedModel.of(model))
    if checkpoints_path is None:
        raise UsageError("neither model nor checkpoints_path is given; expected one of them")
    return load(checkpoints_path)


def _size(height: int | None, width: int | None) -> tuple[int, int] | None:
    if (width is None) != (height is None):
        raise UsageError("only one of prediction_width and prediction_height is given; expected both or none")
    return (height, width) if height and width else None


def _appearance(trained: TrainedModel, class_names: Sequence[str] | None, colors: ArrayLike | None) -> Appearance:
    n_classes, appearance = trained.n_classes, trained.appearance()
    names = list(class_names or appearance.names)
    colours = appearance.colours if colors is None else np.array(colors, np.uint8)[:, ::-1]
    for what, values in (("class_names", names), ("colors", colours)):
        if len(values) < n_classes:
            raise UsageError(f"{what} has {len(values)} entries; expected {n_classes}, one a class")
    return Appearance(names, colours)


def _result(out_dir: StrPath, inp: Picture, i: int) -> Path:
    return Path(out_dir) / (f"{i}.png" if isinstance(inp, np.ndarray) else Path(inp).with_suffix(".png").name)


def _predict(predictor: Predictor, draw: Draw, image: np.ndarray, result: StrPath | None,
             size: tuple[int, int] | None) -> np.ndarray:
    channels = predictor.model.input_shape[-1]
    if image.shape[2] != channels:
        raise UsageError(f"the picture has {image.shape[2]} channels, {predictor.model.name} takes {channels}; "
                         "read_image_type=0 reads pictures as one, grey")
    logits, = predictor.run([predictor.prepare(image)])
    if result:
        picture = cv2.resize(shown(image), size[::-1]) if size else shown(image)
        write_image(os.fspath(result), draw(picture, classes_at(logits, picture.shape[:2])))
    return logits.argmax(-1)
