"""keras_segmentation's `data_loader`, whose names scripts import from here."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from segnet_hpu.compat.keras_segmentation.arrays import get_image_array, get_segmentation_array, read_picture
from segnet_hpu.compat.keras_segmentation.custom_augmentation import pair_function
from segnet_hpu.compat.keras_segmentation.inputs import PictureFunction, functions_of, preprocessed, stacked
from segnet_hpu.compat.keras_segmentation.pairs import DataLoaderError, get_pairs_from_paths, image_paths
from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.faults import Fault
from segnet_hpu.data.images import rgb_of_bgr
from segnet_hpu.data.label_check import LabelCheck
from segnet_hpu.data.labels import of_8_bits, read_label_values
from segnet_hpu.data.preprocessing import TrainTransform
from segnet_hpu.data.verify import verify_pairs
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

__all__ = ["DATA_LOADER_SEED", "DataLoaderError", "class_colors", "get_image_array", "get_pairs_from_paths",
           "get_segmentation_array", "image_segmentation_generator", "verify_segmentation_dataset"]

# keras_segmentation's colours, BGR; it reseeds the global `random` for them.
DATA_LOADER_SEED = 0
_chance = random.Random(DATA_LOADER_SEED)
class_colors = [tuple(_chance.randint(0, 255) for _ in range(3)) for _ in range(5000)]


PicturesAndLabel = tuple[list[np.ndarray], np.ndarray]


def verify_segmentation_dataset(images_path: StrPath, segs_path: StrPath, n_classes: int,
                                show_all_errors: bool = False) -> bool:
    """Return whether a data set has no fault; print the first one, or all."""
    try:
        faults: Sequence[Fault | UsageError] = verify_pairs(images_path, segs_path, n_classes)
    except UsageError as error:
        faults = [error]
    for fault in faults if show_all_errors else faults[:1]:
        print(fault)
    print("Dataset not verified!" if faults else "Dataset verified!")
    return not faults


def image_segmentation_generator(
        images_path: StrPath, segs_path: StrPath, batch_size: int, n_classes: int, input_height: int,
        input_width: int, output_height: int, output_width: int, do_augment: bool = False,
        augmentation_name: str = "aug_all", custom_augmentation: Callable[..., Any] | None = None,
        other_inputs_paths: Sequence[StrPath] | None = None,
        preprocessing: PictureFunction | Sequence[PictureFunction] | None = None, read_image_type: int = 1,
        ignore_segs: bool = False) -> Iterator[np.ndarray | tuple[np.ndarray, np.ndarray]]:
    """Yield (images float32 (B, H, W, C), one-hot labels float64 (B, h * w, n_classes)) without end.

    Without augmentation the batches equal keras_segmentation's: shuffled once, by the global `random`.
    do_augment: change images and labels by our preset `augmentation_name`, or by custom_augmentation, a
    function (image BGR, mask) -> (image, mask) or one that returns an imgaug augmenter; what comes from outside
    the image is no class. other_inputs_paths: folders of further inputs, which make the images
    (B, inputs, H, W, C). preprocessing: function of the BGR image, or a list with one an input.
    ignore_segs: yield images only. Raises UsageError for a label that verify_segmentation_dataset refuses, by itself
    or together with those before, when it is read. segnet_hpu.compat.keras_segmentation.train has a faster, exact
    loader of its own.
    """
    if ignore_segs:
        samples = [(path, None) for path in image_paths(images_path)]
    else:
        samples = get_pairs_from_paths(images_path, segs_path, other_inputs_paths=other_inputs_paths)
    if not samples:
        raise DataLoaderError(f"{images_path} holds no image; expected .jpg, .jpeg, .png, .bmp, .tif or .webp files")
    random.shuffle(samples)
    inputs = 1 + len(other_inputs_paths or ())
    functions = functions_of(preprocessing, inputs)
    change = _augmenter(augmentation_name, custom_augmentation, inputs) if do_augment else None
    check = LabelCheck(n_classes, ())
    rounds = itertools.cycle(samples)
    while True:
        images, labels = [], []
        for _ in range(batch_size):
            pictures, label = _read(next(rounds), read_image_type, check)
            if change:
                pictures, label = change(pictures, label)
            arrays = [get_image_array(picture, input_width, input_height, ordering="channels_last")
                      for picture in preprocessed(pictures, functions)]
            images.append(arrays[0] if other_inputs_paths is None else arrays)
            if not ignore_segs:
                labels.append(get_segmentation_array(label, n_classes, output_width, output_height))
        yield np.array(images) if ignore_segs else (np.array(images), np.array(labels))


def _read(sample: tuple, read_image_type: int, check: LabelCheck) -> PicturesAndLabel:
    """Pictures, BGR, and the label; zeros where there is none."""
    image, label, *others = sample
    pictures = [read_picture(path, read_image_type) for path in (image, *itertools.chain(*others))]
    if label is None:
        return pictures, np.zeros(pictures[0].shape[:2], np.uint8)
    ids = read_label_values(label)
    check.check(label, ids)
    check.refuse_faulty_set()
    return pictures, of_8_bits(label, ids)


def _augmenter(name: str, custom: Callable[..., Any] | None,
               inputs: int) -> Callable[[list[np.ndarray], np.ndarray], PicturesAndLabel]:
    """Return (pictures, label) -> (pictures, label)."""
    if custom is None:
        augmentation = Augmentation.parse(name)
        return lambda pictures, label: _change(augmentation, pictures, label)
    function = pair_function(custom, inputs)

    def change(pictures: list[np.ndarray], label: np.ndarray) -> PicturesAndLabel:
        stack, label = function(stacked(pictures), label)
        return np.split(stack, inputs, axis=2), np.asarray(label).astype(np.uint8).reshape(stack.shape[:2])
    return change


def _change(augmentation: Augmentation, pictures: list[np.ndarray], label: np.ndarray) -> PicturesAndLabel:
    """Change all inputs of a sample alike: each by the same stream of chance."""
    seed = random.getrandbits(64)
    transform = TrainTransform(label.shape, label.shape, augmentation)
    changed = [transform(rgb_of_bgr(picture), label, np.random.default_rng(seed)) for picture in pictures]
    return [rgb_of_bgr(image) for image, _ in changed], changed[0].label
