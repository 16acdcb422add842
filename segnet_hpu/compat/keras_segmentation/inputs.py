"""A sample's inputs: the image, and the pictures of the same stem in further folders.

A network takes them one after another along the channels, the last first: of BGR pictures a, b the stack is RGB of b,
RGB of a, which is what `predict` makes of an array that holds a's channels and then b's.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from segnet_hpu.compat.keras_segmentation.arrays import read_picture
from segnet_hpu.compat.keras_segmentation.pairs import images_by_stem, partner
from segnet_hpu.data.cache import Cache
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.images import rgb_of_bgr
from segnet_hpu.data.source import Sample, Source, wrong_size
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

if TYPE_CHECKING:
    import keras

PictureFunction = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Inputs:
    """What a network is fed with: the image, and pictures of `other_inputs_paths`, read in colour (1) or grey (0).

    preprocessing: functions of the BGR pictures, one an input, one for all, or None. coding: how their files are
    meant. Raises UsageError for another
    number of functions and for another read_image_type.
    """

    other_inputs_paths: Sequence[StrPath] = ()
    read_image_type: int = 1
    preprocessing: PictureFunction | Sequence[PictureFunction] | None = None
    coding: ImageCoding = PLAIN

    def __post_init__(self) -> None:
        if self.read_image_type not in (0, 1):
            raise UsageError(f"read_image_type is {self.read_image_type}; expected 1 (colour) or 0 (grey)")
        functions_of(self.preprocessing, self.count)

    @property
    def count(self) -> int:
        return 1 + len(self.other_inputs_paths)

    @property
    def channels(self) -> int:
        return self.count * (1 if self.read_image_type == 0 else 3)

    def read(self, source: Source) -> Source:
        """Return a source of these inputs, by the paths of another."""
        plain = self.channels == 3 and self.count == 1 and self.preprocessing is None
        return source if plain else StackedInputs(source, self)

    def refuse_other_channels(self, model: "keras.Model | None", reader: str) -> None:
        """Raise UsageError for a model that does not take what `reader` reads; None: one of 3 channels."""
        name, channels = (model.name, model.input_shape[-1]) if model else ("a model by its name", 3)
        if channels != self.channels:
            kind = "grey pictures" if self.read_image_type == 0 else "RGB pictures"
            each = f"{self.count} {kind} a sample" if self.count > 1 else kind
            raise UsageError(f"{name} takes {channels} channels; {reader} reads {each}, which have {self.channels}. "
                             f"Make the model with channels={self.channels}, or set read_image_type: 0 reads in "
                             "grey, 1 in colour")


class StackedInputs:
    """A source whose images are stacks of all inputs; see `Source`.

    Further pictures are found by the image's stem, with its subfolders where images lie in several, and brought to
    its size. Raises DataLoaderError for one that is missing, UsageError for a preprocessing that changes a picture's
    shape. cache_bytes: memory for files' pictures; what preprocessing makes of them, maybe by chance, is not kept.
    """

    def __init__(self, source: Source, inputs: Inputs, cache_bytes: int | None = 0) -> None:
        self.source, self.inputs = source, inputs
        self.functions = functions_of(inputs.preprocessing, inputs.count)
        folders = [(folder, images_by_stem(folder)) for folder in inputs.other_inputs_paths]
        above = os.path.commonpath(os.path.dirname(image) for image, _ in source.pairs)
        self.paths = [[image, *(partner(os.path.splitext(os.path.relpath(image, above))[0], image, files, folder)
                                for folder, files in folders)] for image, _ in source.pairs]
        self.files = Cache(_Files(source, self.paths, inputs.read_image_type), cache_bytes)

    def cached(self, budget: int | None) -> "StackedInputs":
        """Return this source with so many bytes of memory for the files' pictures; see Cache."""
        return StackedInputs(self.source, self.inputs, budget)

    @property
    def image_files(self) -> list[str]:
        """The paths of all inputs."""
        return [path for paths in self.paths for path in paths]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, i: int) -> Sample:
        """Return (stack uint8 (H, W, C), label uint8 (H, W))."""
        *pictures, label = self.files[i]
        changed = preprocessed([picture.copy() for picture in pictures], self.functions)
        for before, after in zip(pictures, changed, strict=True):
            if after.shape != before.shape:
                raise UsageError(f"preprocessing made {after.shape} of an image of {before.shape}; expected that "
                                 "shape")
        return Sample(rgb_of_bgr(stacked(changed)), label)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


@dataclass(frozen=True)
class _Files:
    """The pictures of a sample as they are read, and its label; paths: of each sample's pictures."""

    source: Source
    paths: Sequence[Sequence[str]]
    read_image_type: int

    def __getitem__(self, i: int) -> tuple[np.ndarray, ...]:
        pictures = [read_picture(path, self.read_image_type, self.source.coding) for path in self.paths[i]]
        label = self.source.label(i)
        if pictures[0].shape[:2] != label.shape:
            raise wrong_size(self.source.pairs[i].label, label, self.paths[i][0], pictures[0])
        return (*pictures, label)


def stacked(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures (y, x, c) of any sizes as one (H, W, n * c), at the size of the first."""
    size = pictures[0].shape[1::-1]
    return np.concatenate([picture if picture.shape[1::-1] == size else np.atleast_3d(cv2.resize(picture, size))
                           for picture in pictures], axis=2)


def functions_of(preprocessing: PictureFunction | Sequence[PictureFunction] | None,
                 inputs: int) -> list[PictureFunction]:
    """Return the functions, one an input, that `preprocessing` means; none for None.

    Raises UsageError for another number of them.
    """
    if preprocessing is None:
        return []
    functions = [preprocessing] * inputs if callable(preprocessing) else list(preprocessing)
    if len(functions) != inputs:
        raise UsageError(f"preprocessing has {len(functions)} functions for {inputs} inputs; expected one an "
                         "input, or a single function for all")
    return functions


def preprocessed(pictures: Sequence[np.ndarray], functions: Sequence[PictureFunction]) -> list[np.ndarray]:
    """Return the pictures that come out of the functions; as they are if there are none."""
    if not functions:
        return list(pictures)
    return [np.asarray(function(picture)) for function, picture in zip(functions, pictures, strict=True)]
