"""Label a user's pictures: one file, or a folder with all below it."""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from segnet_hpu.data.appearance import Appearance
from segnet_hpu.data.file_pairs import IMAGE_FORMATS, stems_in
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.images import read_image
from segnet_hpu.data.left_out import tell_left_out
from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.errors import RunError, SegnetError, UsageError
from segnet_hpu.evaluation.predictor import Prepared, Results
from segnet_hpu.files import StrPath, refuse_special, refuse_unwritable
from segnet_hpu.inference import render
from segnet_hpu.progress import Progress

RESULT_FORMATS = (".jpg", ".jpeg", ".png", ".bmp")


def find_pictures(input_path: StrPath, output_path: StrPath) -> list[tuple[Path, Path]]:
    """Return [(picture, where its result goes)]: one file to one file, or a folder's tree to a folder's.

    Results of a folder end in .png; hidden files and folders are passed over. Raises UsageError where there is
    nothing to label, or where a result would take the place of a picture or of another result.
    """
    refuse_special("--input_path", input_path)
    source, target = Path(input_path), Path(output_path)
    if source.is_file():
        target = target / f"{source.stem}.png" if target.is_dir() else target
        if target.resolve() == source.resolve():
            raise UsageError(f"--output_path {target} is the picture itself; choose another name")
        if target.suffix.lower() not in RESULT_FORMATS:
            raise UsageError(f"--output_path {target}: expected a name that ends in .png or .jpg, "
                             "or a folder that exists")
        refuse_unwritable("--output_path", target)
        return [(source, target)]
    if not source.is_dir():
        raise UsageError(f"--input_path {source}: no such file or folder")
    if target.is_file():
        raise UsageError(f"--output_path {target} is a file; expected a folder, as --input_path is one")
    refuse_unwritable("--output_path", target, folder=True)
    inside = target.resolve()
    if inside == source.resolve():
        raise UsageError(f"--output_path {target} is the folder of the pictures; choose another")
    pictures = _pictures_below(source, target)
    if not pictures:
        raise UsageError(f"--input_path {source} holds no picture; expected {', '.join(IMAGE_FORMATS)}")
    tell_left_out(source, set(map(str, pictures)), leave=target)
    pairs = [(p, (target / p.relative_to(source)).with_suffix(".png")) for p in pictures]
    refuse_doubles(pairs)
    refuse_overwriting(pairs)
    for folder in {result.parent for _, result in pairs}:
        if not folder.resolve().is_relative_to(inside):
            raise UsageError(f"--output_path {target}: {folder} is a link that leads out of it; remove the link, or "
                             "choose another folder")
    return pairs


def _pictures_below(source: Path, target: Path) -> list[Path]:
    """The pictures in and below a folder; what an earlier call wrote to `target` is none."""
    try:
        stems = stems_in(source, IMAGE_FORMATS, leave=target)
    except OSError as error:
        raise UsageError(f"--input_path {source}: {error.filename} cannot be read ({error.strerror}); check its "
                         "permissions") from None
    return sorted(Path(path) for paths in stems.values() for path in paths)


def refuse_doubles(pairs: Sequence[tuple[Any, Any]]) -> None:
    """Raise UsageError where two of the (picture, result) pairs have one result."""
    first: dict[Any, Any] = {}
    for picture, result in pairs:
        if result in first:
            raise UsageError(f"{picture} and {first[result]} would both become {result}; rename one")
        first[result] = picture


def refuse_overwriting(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Raise UsageError where a result of the (picture, result) pairs is one of the pictures."""
    pictures = {picture.resolve(): picture for picture, _ in pairs}
    for _, result in pairs:
        if result.resolve() in pictures:
            raise UsageError(f"{pictures[result.resolve()]} would be overwritten by a result; choose another "
                             "place for the results")


class SupportsRun(Protocol):
    """The first two steps of a predictor, as evaluation.predictor.SupportsPrediction has them."""

    @property
    def batch_size(self) -> int: ...

    @property
    def prepare(self) -> Callable[[np.ndarray], Prepared]: ...

    def run(self, inputs: Any, /) -> Results: ...


def label_pictures(predictor: SupportsRun, pairs: Sequence[tuple[Path, Path]],
                   write: Callable[[np.ndarray, Any, Path], None], coding: ImageCoding = PLAIN) -> None:
    """Call write(image, result, path) for each (picture, path) pair; reading and writing overlap the model.

    Results are what the predictor's run returns, and may be turned into classes in `write`, which has a thread of
    its own. coding: how the picture files are meant. A picture that cannot be read is left out; at the
    end a RunError names all such, or a UsageError if there is no other.
    """
    size = predictor.batch_size
    failed: list[str] = []

    def read(pair: tuple[Path, Path]) -> tuple[np.ndarray, Prepared, Path] | None:
        try:
            image = read_image(pair[0], coding=coding)
        except SegnetError as error:
            failed.append(str(error))
            return None
        return image, predictor.prepare(image), pair[1]

    def run() -> Iterator[tuple[np.ndarray, Any, Path]]:
        readable = (one for one in prefetched(read, pairs, ahead=2 * size) if one)
        for batch in batched(readable, size):
            images, inputs, paths = zip(*batch, strict=True)
            yield from zip(images, predictor.run(inputs), paths, strict=True)

    with Progress("predict", len(pairs), "image") as progress:
        for _ in prefetched(lambda item: write(*item), run(), threads=1, ahead=2 * size):
            progress.update(1)
    if failed:
        kind = RunError if len(failed) < len(pairs) else UsageError
        raise kind(f"{len(failed)} of {len(pairs)} pictures could not be labelled: {'; '.join(failed)}")


def drawer(kind: str, appearance: Appearance, legend: bool = False) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return draw(image, class map) -> picture. kind: "ids" (grey class ids), "colour" or "overlay"."""
    @functools.cache  # drawn once for all frames of a video
    def side(height: int) -> np.ndarray:
        return render.legend(appearance.names, appearance.colours, height)

    def draw(image: np.ndarray, classes: np.ndarray) -> np.ndarray:
        if kind == "ids":
            return classes
        picture = render.overlay(image, classes, appearance.colours) if kind == "overlay" \
            else render.colour_mask(classes, appearance.colours)
        return render.beside(picture, side(len(picture))) if legend else picture
    return draw
