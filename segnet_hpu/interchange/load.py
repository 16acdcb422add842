"""Find a trained model from what a user names, and load it."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path
from typing import Any

from segnet_hpu.errors import SegnetError, UsageError
from segnet_hpu.files import refuse_special
from segnet_hpu.interchange import keras_segmentation
from segnet_hpu.interchange.keras_archive import check_archive
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.models.weights import refuse_broken_weights

NUMBERED = re.compile(r"\.(\d+)(?:-(\d+))?\.keras$")
OF_PREFIX = re.compile(r"(\.best|\.\d+(-\d+)?)?\.keras$")  # what follows a prefix in its checkpoints' names


def find_checkpoint(path: str | Path) -> Path:
    """Return the model file that `path` means: the file itself, or the best (else the newest)
    checkpoint of a run folder or of a prefix, else keras_segmentation's newest weights of a prefix.
    Raises UsageError if there is none, and for a folder that holds several prefixes.
    """
    path = Path(path)
    refuse_special("", path)
    if path.is_file():
        return path
    folders = (path, path / "checkpoints") if path.is_dir() else (path.parent,)
    candidates = [p for folder in folders for p in sorted(folder.glob("*.keras")) if not p.name.startswith(".")]
    if path.is_dir():
        _refuse_several(path, sorted({p.with_name(OF_PREFIX.sub("", p.name)) for p in candidates}))
    else:
        candidates = [p for p in candidates if p.name.startswith(path.name)
                      and OF_PREFIX.fullmatch(p.name[len(path.name):])]
    best = [p for p in candidates if p.name.endswith(".best.keras")]
    numbered = sorted((p for p in candidates if NUMBERED.search(p.name)), key=number_of)
    found = best[-1:] or numbered[-1:] or candidates[:1]
    checkpoint = found[0] if found else keras_segmentation.find_weights(path)
    if checkpoint is None:
        raise UsageError(f"no checkpoint at {path}; expected a .keras file, a run folder "
                         "or the prefix that training was given")
    refuse_special("", checkpoint)
    return checkpoint


def refuse_checkpoint_of_run(flag: str, path: str | Path) -> None:
    """Raise UsageError, naming `flag`, if `path` is a name of a training's checkpoints, whether it is there or not.

    A training goes on from the highest number, and removes those that it needs no more.
    """
    path = Path(path)
    prefix = OF_PREFIX.sub("", path.name)
    if prefix not in (path.stem, path.name) and path.with_name(f"{prefix}_config.json").exists():
        raise UsageError(f"{flag} {path} is the name of a checkpoint of a training, whose record and "
                         "--auto_resume_checkpoint go by it; choose another name")


def load(path: str | Path) -> TrainedModel:
    """Return the trained model, uncompiled, of what `find_checkpoint` takes.

    A plain Keras file or a checkpoint of keras_segmentation (see interchange.keras_segmentation) is a network of
    which nothing else is known. Raises UsageError if there is none, if the file is damaged or no Keras model, and
    for a network that does not map pictures of one size to logits, RunError for weights that are no numbers.

    >>> load("runs/street").appearance().names  # doctest: +SKIP
    ['road', 'sky']
    """
    path = find_checkpoint(path)
    foreign = None if path.suffix == ".keras" else keras_segmentation.find_weights(path)
    trained = TrainedModel.of(keras_segmentation.load_checkpoint(foreign)) if foreign else _load_keras(path)
    refuse_broken_weights(trained.network, path)
    return trained


def _load_keras(path: Path) -> TrainedModel:
    import keras

    import segnet_hpu.models.layers  # noqa: F401  Keras then knows our layers

    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive)
            network = keras.saving.load_model(os.fspath(path), compile=False)
            _refuse_other_networks(path, network.input_shape, network.output_shape)
            return TrainedModel.read(network, archive)
    except SegnetError:
        raise
    except Exception as error:  # of Keras', h5py's and zipfile's many kinds over damaged bytes
        # Keras puts the whole configuration in front of the cause.
        reason = (str(error).split("Exception encountered: ")[-1].splitlines() or [type(error).__name__])[0][:300]
        raise UsageError(f"{path} is no readable model ({reason}); expected a .keras file; "
                         "if training was cut off while writing, use the checkpoint before") from error


def _refuse_several(folder: Path, prefixes: list[Path]) -> None:
    if len(prefixes) > 1:
        some = ", ".join(map(str, prefixes[:3])) + (" and more" if len(prefixes) > 3 else "")
        raise UsageError(f"{folder} holds checkpoints of {some}; expected those of one model: give the prefix, "
                         "or the file")


def _refuse_other_networks(path: Path, taken: Any, given: Any) -> None:
    fixed = all(isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:] for shape in (taken, given))
    if not fixed:
        raise UsageError(f"{path} maps {taken} to {given}; expected a network from pictures "
                         "(None, height, width, channels) to logits (None, height, width, classes)")


def number_of(path: Path) -> tuple[int, int]:
    """Return (epoch, step within it) of a numbered checkpoint's name."""
    match = NUMBERED.search(path.name)
    assert match
    return int(match[1]), int(match[2] or 0)
