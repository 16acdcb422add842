"""keras_segmentation's `data_loader`, whose names scripts import from here."""

import itertools
import random

import numpy as np

from segnet_hpu.compat.keras_segmentation.arrays import get_image_array, get_segmentation_array, read_picture
from segnet_hpu.compat.keras_segmentation.pairs import DataLoaderError, get_pairs_from_paths, image_paths
from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.images import read_label
from segnet_hpu.data.transforms import TrainTransform
from segnet_hpu.data.user_functions import pair_function
from segnet_hpu.data.verify import verify_pairs
from segnet_hpu.errors import UsageError

__all__ = ["DATA_LOADER_SEED", "DataLoaderError", "class_colors", "get_image_array", "get_pairs_from_paths",
           "get_segmentation_array", "image_segmentation_generator", "verify_segmentation_dataset"]

# keras_segmentation's colours, BGR; it reseeds the global `random` for them.
DATA_LOADER_SEED = 0
_chance = random.Random(DATA_LOADER_SEED)
class_colors = [tuple(_chance.randint(0, 255) for _ in range(3)) for _ in range(5000)]


def verify_segmentation_dataset(images_path, segs_path, n_classes, show_all_errors=False):
    """Return whether a data set has no fault; print the first one, or all."""
    try:
        faults = verify_pairs(images_path, segs_path, n_classes)
    except UsageError as error:
        faults = [error]
    for fault in faults if show_all_errors else faults[:1]:
        print(fault)
    print("Dataset not verified!" if faults else "Dataset verified!")
    return not faults


def image_segmentation_generator(images_path, segs_path, batch_size, n_classes, input_height, input_width,
                                 output_height, output_width, do_augment=False, augmentation_name="aug_all",
                                 custom_augmentation=None, other_inputs_paths=None, preprocessing=None,
                                 read_image_type=1, ignore_segs=False):
    """Yield (images float32 (B, H, W, C), one-hot labels float64 (B, h * w, n_classes)) without end.

    Without augmentation the batches equal keras_segmentation's: shuffled once, by the global `random`.
    do_augment: change images and labels by our preset `augmentation_name`, or by custom_augmentation, a
    function (image BGR, mask) -> (image, mask) or one that returns an imgaug augmenter; what comes from outside
    the image is no class. other_inputs_paths: folders of further inputs, which make the images
    (B, inputs, H, W, C). preprocessing: function of the BGR image, or a list with one an input.
    ignore_segs: yield images only. segnet_hpu.compat.keras_segmentation.train has a faster, exact loader of its own.
    """
    if ignore_segs:
        samples = [(path, None) for path in image_paths(images_path)]
    else:
        samples = get_pairs_from_paths(images_path, segs_path, other_inputs_paths=other_inputs_paths)
    if not samples:
        raise DataLoaderError(f"{images_path} holds no image; expected .jpg, .jpeg, .png or .bmp files")
    random.shuffle(samples)
    change = _augmenter(augmentation_name, custom_augmentation, other_inputs_paths) if do_augment else None
    rounds = itertools.cycle(samples)
    while True:
        images, labels = [], []
        for _ in range(batch_size):
            pictures, label = _read(next(rounds), read_image_type)
            if change:
                pictures, label = change(pictures, label)
            arrays = [get_image_array(picture, input_width, input_height, ordering="channels_last")
                      for picture in _preprocessed(pictures, preprocessing)]
            images.append(arrays[0] if other_inputs_paths is None else arrays)
            if not ignore_segs:
                labels.append(get_segmentation_array(label, n_classes, output_width, output_height))
        yield np.array(images) if ignore_segs else (np.array(images), np.array(labels))


def _read(sample, read_image_type):
    """Pictures, BGR, and the label; zeros where there is none."""
    image, label, *others = sample
    pictures = [read_picture(path, read_image_type) for path in (image, *itertools.chain(*others))]
    return pictures, read_label(label) if label else np.zeros(pictures[0].shape[:2], np.uint8)


def _preprocessed(pictures, functions):
    if functions is None:
        return pictures
    if callable(functions):
        functions = [functions] * len(pictures)
    return [function(picture) for function, picture in zip(functions, pictures, strict=True)]


def _augmenter(name, custom, other_inputs_paths):
    """Return (pictures, label) -> (pictures, label)."""
    if custom is None:
        augmentation = Augmentation.parse(name)
        return lambda pictures, label: _change(augmentation, pictures, label)
    if other_inputs_paths:
        raise DataLoaderError("custom_augmentation does not go with other_inputs_paths: it could not "
                                          "change all inputs alike. Use a preset, augmentation_name")
    function = pair_function(custom)

    def change(pictures, label):
        picture, label = function(pictures[0], label)
        return [picture], np.asarray(label).astype(np.uint8).reshape(picture.shape[:2])
    return change


def _change(augmentation, pictures, label):
    """Change all inputs of a sample alike: each by the same stream of chance."""
    seed = random.getrandbits(64)
    transform = TrainTransform(label.shape, label.shape, augmentation)
    changed = [transform(_rgb(picture), label, np.random.default_rng(seed)) for picture in pictures]
    pictures = [np.ascontiguousarray(image[:, :, ::-1][:, :, :picture.shape[2]])
                for picture, (image, _) in zip(pictures, changed, strict=True)]
    return pictures, changed[0][1]


def _rgb(picture):
    """The RGB of a BGR picture (H, W, 3), or of a grey one (H, W, 1)."""
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else np.ascontiguousarray(picture[:, :, ::-1])
