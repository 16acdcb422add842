"""A network with what its use must know of it, and the `.keras` file that holds both."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from segnet_hpu.constants import LABEL_PALETTE, ONE_AND_BACKGROUND
from segnet_hpu.data.appearance import Appearance
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.errors import RunError, UsageError, warn

if TYPE_CHECKING:
    import keras

# Of a file that is not whole yet. Keras wants the ending .keras; a dot in front keeps it out of every listing.
PARTIAL = ".partial.keras"
# What else than Keras' own the archive holds: facts, the layers of ours that are operations of Keras in
# there, and the roles of all.
FACTS, LAYERS, ROLES = "segnet_hpu/facts.json", "segnet_hpu/layers.json", "segnet_hpu/roles.json"
# What may stand in facts.json, beside null, and how to say so.
NOTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "class_names": (lambda value: isinstance(value, str), "a text"),
    "palette": (lambda value: isinstance(value, str), "a known data set's name, or colours rrggbb,rrggbb,..."),
    "ignore_label": (lambda value: type(value) is int and 0 <= value <= 255, "an int from 0 to 255"),
    "clahe": (lambda value: type(value) in (int, float) and 0 <= value <= 1, "a number from 0 to 1"),
    "downsampling": (lambda value: value in ("area", "bilinear"), "area or bilinear"),
    "made_with": (lambda value: isinstance(value, dict), "settings by their names"),
    "image_files": (lambda value: isinstance(value, dict), "settings by their names"),
    "imported_from": (lambda value: isinstance(value, str), "a text")}


@dataclass(frozen=True)
class InputCoding:
    """What the numbers are that a network takes: RGB pictures (H, W, channels).

    bit_depth: of a picture file's integers. value_range: what their lowest and highest become. clahe: the share of
    the training pictures that were equalised (CLAHE); above 0 every picture is equalised at prediction. files: how
    image files become such pictures. downsampling: how pictures are made smaller, see data/geometry.py; bilinear in
    all that say nothing of it.
    """

    channels: int = 3
    bit_depth: int = 8
    value_range: tuple[float, float] = (0.0, 255.0)
    clahe: float = 0.0
    files: ImageCoding = PLAIN
    downsampling: str = "bilinear"

    @property
    def equalises(self) -> bool:
        """Whether pictures go through CLAHE before the network."""
        return self.clahe > 0


# Of the networks in memory, so that one that was trained here predicts as its checkpoint would.
_codings: WeakKeyDictionary[keras.Model, InputCoding] = WeakKeyDictionary()


@dataclass(frozen=True)
class TrainedModel:
    """What a checkpoint is.

    network: a functional model, pictures as `input_coding` says (B, H, W, channels) -> logits (B, h, w, n_classes).
    class_names, palette (a known data set's name), ignore_label (an id left out of the scores beside 255): as
    training was given them, or None. made_with: the settings that a resumed run must share, by their names.
    imported_from: the file that the weights were converted from. Raises UsageError for a network of one class, and
    for what no file could give back.

    >>> trained = segnet_hpu.load("runs/street")  # doctest: +SKIP
    >>> trained.network.predict(pictures)  # doctest: +SKIP
    >>> trained.save("street.keras")  # doctest: +SKIP
    """

    network: keras.Model
    class_names: Sequence[str] | None = None
    palette: str | None = None
    ignore_label: int | None = None
    input_coding: InputCoding = InputCoding()
    made_with: Mapping[str, Any] = field(default_factory=dict)
    imported_from: str | None = None

    def __post_init__(self) -> None:
        if self.n_classes < 2:
            raise UsageError(f"{self.network.name} has a single class, which it finds everywhere; expected at least "
                             f"{ONE_AND_BACKGROUND}")
        if fault := _fault_of_names(self.class_names, self.n_classes):
            raise UsageError(f"class_names {fault}; expected {self.n_classes} names without commas, one a class")
        for name, value in self._noted().items():
            is_sound, expected = NOTED[name]
            if value is not None and not is_sound(value):
                raise UsageError(f"{name} of a TrainedModel is {str(value)[:60]!r}; expected {expected}, or None")
        _codings[self.network] = self.input_coding

    @classmethod
    def of(cls, model: keras.Model | TrainedModel) -> TrainedModel:
        """Return a TrainedModel as it is, and a bare network as one of which no more than its coding is known."""
        if isinstance(model, TrainedModel):
            return model
        return cls(model, input_coding=_codings.get(model) or InputCoding(channels=model.input_shape[-1]))

    @classmethod
    def read(cls, network: keras.Model, archive: zipfile.ZipFile) -> TrainedModel:
        """Return the network with what its archive notes of it. Raises ValueError where that has a wrong type."""
        from segnet_hpu.models.layers.plain import with_our_layers
        from segnet_hpu.models.roles import set_roles

        network = set_roles(with_our_layers(network, _read(archive, LAYERS)), _read_roles(archive))
        noted = _read(archive, FACTS)
        for name, (is_sound, _) in NOTED.items():
            if noted.get(name) is not None and not is_sound(noted[name]):
                raise ValueError(f"{FACTS}: {name} is {str(noted[name])[:60]!r}")
        names = noted["class_names"].split(",") if noted.get("class_names") else None
        if fault := _fault_of_names(names, network.output_shape[-1]):
            warn(f"class_names in {archive.filename} {fault}, and the network has {network.output_shape[-1]} "
                 "classes; they are left out")
            names = None
        return cls(network, names, noted.get("palette"), noted.get("ignore_label"),
                   InputCoding(network.input_shape[-1], clahe=noted.get("clahe") or 0.0,
                               files=ImageCoding.of(noted.get("image_files") or {}),
                               downsampling=noted.get("downsampling") or "bilinear"),
                   noted.get("made_with") or {}, noted.get("imported_from"))

    @property
    def n_classes(self) -> int:
        return self.network.output_shape[-1]

    @property
    def label_palette(self) -> dict[str, str]:
        """Colours rrggbb of the indices in the labels that it was trained with; empty where they have no palette."""
        noted = self.made_with.get(LABEL_PALETTE)
        return noted if isinstance(noted, dict) else {}

    def appearance(self, class_names: str | None = None, palette: str | None = None) -> Appearance:
        """Return the classes' names and colours: those given, as text "a,b,c" and a data set's name, else its own.

        Raises UsageError for an unknown palette or a wrong number of names.
        """
        return Appearance.of(self.n_classes, class_names or ",".join(self.class_names or ()) or None,
                             palette or self.palette)

    def save(self, path: str | Path, advice: str = "free space or choose another place",
             add: Callable[[zipfile.ZipFile], None] = lambda archive: None) -> None:
        """Write the file that `load` reads: whole, or not at all. Makes the folder if need be.

        path: ends in .keras. advice: what to do where it cannot be written, for the error. add: puts more into the
        open archive. Raises UsageError for another ending, RunError if it cannot be written.
        """
        from segnet_hpu.models.layers.plain import our_layers, plain_twin
        from segnet_hpu.models.roles import roles

        path = Path(path)
        if path.suffix != ".keras":
            raise UsageError(f"{path} is no name for a model's file; expected one that ends in .keras")
        partial = path.with_name(f".{path.stem}{PARTIAL}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            plain_twin(self.network).save(partial)
            with zipfile.ZipFile(partial, "a") as archive:
                archive.writestr(FACTS, json.dumps(self._noted()))
                archive.writestr(LAYERS, json.dumps(our_layers(self.network)))
                archive.writestr(ROLES, json.dumps(roles(self.network)))
                add(archive)
            with open(partial, "rb") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
            _sync_folder(path.parent)
        except (OSError, RuntimeError) as error:
            partial.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise RunError(f"cannot write checkpoint {path}: {reason}; {advice}") from error

    def _noted(self) -> dict[str, Any]:
        """What the archive notes, as JSON takes it."""
        coding = self.input_coding
        downsampling = None if coding.downsampling == InputCoding.downsampling else coding.downsampling
        more = {"clahe": coding.clahe, "image_files": coding.files.noted(), "downsampling": downsampling,
                "made_with": dict(self.made_with), "imported_from": self.imported_from}
        return {"class_names": ",".join(self.class_names or ()) or None, "palette": self.palette,
                "ignore_label": self.ignore_label} | {name: value for name, value in more.items() if value}


def _fault_of_names(names: Sequence[str] | None, n_classes: int) -> str | None:
    """What is wrong with the names of classes, in words, or None; commas part them in files and flags."""
    if not names:
        return None
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        return f"is {str(names)[:60]!r}"
    if len(names) != n_classes:
        return f"holds {len(names)} names"
    wrong = [name for name in names if "," in name or not name.strip()]
    return f"holds {wrong[0]!r}" if wrong else None


def _read(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    found = json.loads(archive.read(name)) if name in archive.namelist() else {}
    if not isinstance(found, dict):
        raise ValueError(f"{name} is {str(found)[:60]!r}")
    return found


def _read_roles(archive: zipfile.ZipFile) -> dict[str, dict[str, int]]:
    table = _read(archive, ROLES)
    for name, role in table.items():
        if not (isinstance(role, dict) and all(isinstance(value, int) and value >= 0 for value in role.values())):
            raise ValueError(f"{ROLES}: {name} is {str(role)[:60]!r}")
    return table


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
