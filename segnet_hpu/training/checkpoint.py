"""Checkpoints: one file is one whole state.

A checkpoint is a `.keras` archive that Keras opens by itself (the weights to use), with two
things added: `segnet_hpu/` (state and facts as JSON) and `training/` (every variable of the optimizer, the epoch's
sums, and what of the model's variables is not among those weights, as .npy), from which training goes on exactly.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.interchange.load import NUMBERED, number_of
from segnet_hpu.models.encoders.normalisation import Normalisation
from segnet_hpu.models.normalisation import normalisation, rescaling
from segnet_hpu.models.roles import AUTOMATIC, stable_name
from segnet_hpu.models.trained_model import PARTIAL, TrainedModel
from segnet_hpu.runtime.keras_internals import accumulated_gradients, moving_averages, rate_variable, set_steps
from segnet_hpu.training import made_with as resuming
from segnet_hpu.training.averaged_weights import AveragedWeights
from segnet_hpu.training.state import EpochSums, State
from segnet_hpu.training.variables import set_values, to_numpy

# What zipfile, NumPy and JSON raise over damaged bytes.
BROKEN = (OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
ADVICE = "free space or choose another --model_dir, then go on with --auto_resume_checkpoint"


def checkpoint_path(prefix: str | Path, state: State, steps_per_epoch: int) -> Path:
    """PREFIX.EPOCH.keras after a whole epoch, PREFIX.EPOCH-STEP.keras within one."""
    within = state.step - state.epoch * steps_per_epoch
    return Path(f"{prefix}.{state.epoch}{f'-{within}' if within else ''}.keras")


def list_checkpoints(prefix: str | Path) -> list[Path]:
    """Return the numbered checkpoints of a prefix, oldest first."""
    folder, name = Path(prefix).parent, Path(prefix).name
    return sorted((p for p in folder.glob("*.keras") if p.name.startswith(f"{name}.")
                   and NUMBERED.fullmatch(p.name[len(name):])), key=number_of)


def list_partial(prefix: str | Path) -> list[Path]:
    """Return a prefix's numbered checkpoints that were never written to the end."""
    folder, name = Path(prefix).parent, Path(prefix).name
    return [p for p in folder.glob(f".*{PARTIAL}") if p.name.startswith(f".{name}.")
            and NUMBERED.fullmatch(p.name[1 + len(name):].replace(PARTIAL, ".keras"))]


def save_checkpoint(path: str | Path, trained: TrainedModel, state: State, averaged: AveragedWeights) -> None:
    """Write the whole state of a TrainedModel, its network compiled; atomic. Raises RunError if it cannot be written.

    averaged: what the inference part holds, where it has been taken.
    """
    model = trained.network
    arrays = {group: [to_numpy(v) for v in variables] for group, variables in _groups(model).items()}
    arrays["metrics"] = [np.array(value) for value in dataclasses.astuple(state.sums)]

    def add_training(archive: zipfile.ZipFile) -> None:
        archive.writestr("segnet_hpu/state.json", state.to_json())
        saved = _found_in_weights(archive, arrays["model"])
        counts = {group: len(a) for group, a in arrays.items()} | {"model": saved}
        archive.writestr("training/counts.json", json.dumps(counts))
        for group, values in arrays.items():
            for i, value in enumerate(values):
                if group == "model" and saved[i]:
                    continue
                with archive.open(f"training/{group}/{i}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, value, allow_pickle=False)

    with averaged:
        trained.save(path, ADVICE, add_training)


def newest_made_with(prefix: str | Path) -> Mapping[str, Any] | None:
    """Return what the newest readable checkpoint of a prefix notes of its settings; None if there is none."""
    for path in reversed(list_checkpoints(prefix)):
        with contextlib.suppress(*BROKEN), zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("segnet_hpu/facts.json"))["made_with"]
    return None


def restore_newest(prefix: str | Path, model: keras.Model, made_with: Mapping[str, Any],
                   warn: Callable[[str], None], allowed: Sequence[str] = ()) -> State | None:
    """Set a compiled model to its newest readable checkpoint; return its State, or None if there is none.

    made_with: what must be as it was, {name: value}, but for the names in `allowed`. A broken checkpoint is named
    through `warn` and passed over. Raises UsageError if a sound one belongs to another model or
    other settings, RunError if all are broken.
    """
    paths = list_checkpoints(prefix)
    for path in reversed(paths):
        try:
            state, facts, arrays = _read(path)
        except BROKEN as error:
            warn(f"checkpoint {path} is broken ({error}); trying the one before")
            continue
        changes = _changes(path, facts["made_with"], made_with, allowed)
        if names := resuming.untold(made_with):
            warn(f"{', '.join(names)} may be other than when {path} was made: to let it be compared, keep it in an "
                 "attribute of its name, and code in a function or class of a file")
        if words := resuming.other_span(facts["made_with"], made_with):
            warn(words)
        if words := resuming.other_backend(facts["made_with"], made_with):
            warn(words)
        _restore_variables(path, model, arrays, {change.name for change in changes})
        if changes:
            resuming.note(state, changes, facts["made_with"], made_with)
            set_steps(model.optimizer, state.step)
        return state
    if paths:
        raise RunError(f"none of the {len(paths)} checkpoints {prefix}.* can be read; remove them to start anew")
    return None


def stored_normalisation(prefix: str | Path, model: keras.Model) -> Normalisation:
    """Return how the network of the newest readable checkpoint normalises pictures; `model`'s own if none says."""
    layer = rescaling(model)
    for path in reversed(list_checkpoints(prefix) if layer else []):
        with contextlib.suppress(*BROKEN), zipfile.ZipFile(path) as archive:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
            # By its place: the name that Keras gives counts the layers that a process has made before.
            stored = keras.saving.deserialize_keras_object(
                [one for one in layers if one["class_name"] == type(layer).__name__][_place(layer, model)])
            # Keras keeps lists in a type of its own, which cannot go to other ranks.
            return Normalisation(*(tuple(np.ravel(value).tolist()) for value in (stored.offset, stored.scale)))
    return normalisation(model)


def _place(layer: keras.Layer, model: keras.Model) -> int:
    """How many layers of the same class stand before it in the model."""
    return [other for other in model.layers if type(other) is type(layer)].index(layer)


def _changes(path: Path, theirs: Mapping[str, Any], ours: Mapping[str, Any],
             allowed: Sequence[str]) -> list[resuming.Change]:
    """Return what is not as it was, all of which is allowed; else raise UsageError."""
    changes = resuming.changes(theirs, ours)
    # A network without a name of its own is known by its variables alone.
    if stable_name(str(theirs.get("model_name"))) in AUTOMATIC:
        changes = [change for change in changes if change.name != "model_name"]
    resuming.refuse(path, changes, allowed)
    return changes


def _restore_variables(path: Path, model: keras.Model, arrays: Mapping[str, list[np.ndarray]],
                       changed: set[str]) -> None:
    """Set the variables; those of an optimizer that was changed deliberately start anew where they do not fit."""
    for group, variables in _groups(model).items():
        fits = [tuple(v.shape) for v in variables] == [value.shape for value in arrays[group]]
        if not fits and not (group == "optimizer" and changed & resuming.OF_OPTIMIZER):
            raise UsageError(f"{path} belongs to another {group}: its variables do not fit; give the settings "
                             "it was made with, or another --model_dir")
        if fits:
            set_values(variables, arrays[group])


def sizes(model: keras.Model) -> tuple[int, int]:
    """Return the bytes of (a numbered checkpoint, the best model) of a compiled model, but for some kilobytes."""
    groups = {group: sum(to_numpy(v).nbytes for v in variables) for group, variables in _groups(model).items()}
    raw = groups["model"] if moving_averages(model.optimizer) else 0
    return groups["model"] + groups["optimizer"] + raw, groups["model"]


def all_variables(model: keras.Model) -> list[keras.Variable]:
    """Return every variable of a compiled model that training may change."""
    rate = rate_variable(model.optimizer)
    return [v for variables in _groups(model).values() for v in variables] + ([] if rate is None else [rate])


def variables_of_ranks(model: keras.Model) -> list[keras.Variable]:
    """Return the variables that each rank of a distributed run has its own values of, which may be averaged:
    the moving statistics of batch normalisation, and gradients that are accumulated but not yet used."""
    statistics = [v for v in model.non_trainable_variables if v.path.endswith(("/moving_mean", "/moving_variance"))]
    return statistics + accumulated_gradients(model.optimizer)


def _groups(model: keras.Model) -> dict[str, list[keras.Variable]]:
    # model.variables holds those of Keras' metrics too. The rate is the settings' or, where a callback set it, the
    # state's.
    metrics, rate = {id(v) for v in model.metrics_variables}, rate_variable(model.optimizer)
    return {"model": [v for v in model.variables if id(v) not in metrics],
            "optimizer": [v for v in model.optimizer.variables if v is not rate]}


def _read(path: Path) -> tuple[State, dict[str, Any], dict[str, list[np.ndarray]]]:
    """Return (state, facts, the arrays by group). Raises one of BROKEN for a damaged file."""
    with zipfile.ZipFile(path) as archive:
        # Every member carries a CRC: reading them all finds a torn or flipped byte.
        bad = archive.testzip()
        if bad:
            raise ValueError(f"{bad} is damaged")
        facts = json.loads(archive.read("segnet_hpu/facts.json"))
        # A damaged list of members can hide some of them: the counts tell.
        counts = json.loads(archive.read("training/counts.json"))
        arrays = {group: [_array(archive, f"training/{group}/{i}.npy") for i in range(counts[group])]
                  for group in ("optimizer", "metrics")}
        arrays["model"] = _model_arrays(archive, counts["model"])
        state = State.from_json(archive.read("segnet_hpu/state.json"), EpochSums(*map(float, arrays["metrics"])))
    return state, facts, arrays


def fault(path: Path) -> str | None:
    """Return what keeps a model file from being read, in words, or None."""
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
            archive.getinfo("model.weights.h5")
    except FileNotFoundError:
        return "is missing"
    except BROKEN as error:
        return f"is damaged ({error})"
    return f"is damaged ({bad})" if bad else None


def _found_in_weights(archive: zipfile.ZipFile, values: Sequence[np.ndarray]) -> list[str | None]:
    """Return for each array the name of one among the weights that Keras wrote which is the same to the bit, or None.

    Those need not be written again: all without moving averages, but for the states of random generators.
    """
    known = {}
    with _weights(archive) as file:
        for name in _names(file):
            known[_identity(file[name][()])] = name
    return [known.get(_identity(value)) for value in values]


def _model_arrays(archive: zipfile.ZipFile, saved: int | Sequence[str | None]) -> list[np.ndarray]:
    """Return the model's variables. saved: as from _found_in_weights; their number in files of earlier versions."""
    if isinstance(saved, int):
        saved = [None] * saved
    with _weights(archive) as file:
        return [file[name][()] if name else _array(archive, f"training/model/{i}.npy")
                for i, name in enumerate(saved)]


def _weights(archive: zipfile.ZipFile) -> h5py.File:
    return h5py.File(io.BytesIO(archive.read("model.weights.h5")))


def _names(file: h5py.File) -> list[str]:
    """The names of all arrays in a file."""
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def _identity(value: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).digest()


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
