"""What a run was made with, and whether it may go on with something else."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from segnet_hpu.code_hash import code_hash, written_by_user
from segnet_hpu.components import Choice
from segnet_hpu.constants import LABEL_PALETTE
from segnet_hpu.data.fingerprint import difference
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.fields import keys
from segnet_hpu.options import as_text
from segnet_hpu.training.settings import Settings

if TYPE_CHECKING:
    from segnet_hpu.training.state import State

# Not settings but what they bring: the pictures of training and of validation.
DATA = {"data": "training data", "val_data": "validation data"}
# With another one the weights have another meaning, or do not fit.
FIXED = ("model_name", "n_classes")
# With another one of these the optimizer's variables may be others.
OF_OPTIMIZER = {"optimizer_name", "ema", "accumulate", "data_type", "freeze_stages"}

BACKEND = "backend"  # the one in force, which may be another
CODE = "code"  # names a hash of code that the user wrote, like an option
SPAN = "schedule_epochs"  # over which a schedule falls that ends with the run
UNTOLD = "unknown"  # stands for what a Python object does not tell of itself


class Change(NamedTuple):
    """Something that is not as it was when the run was made. words: for a message."""

    name: str
    old: Any
    new: Any
    words: str


def computed_settings(settings: Settings) -> dict[str, Any]:
    """Return {name: value} of the settings that change what is computed, and of their components' options, as JSON
    holds them; an option that was not set with its default.
    """
    values = {}
    for name, key in keys(Settings).items():
        # Names may be added later: their scores had none before.
        unused = (name == "augmentation_name" and not settings.do_augment
                  or name == "class_names" and not settings.class_names)
        if key.users or unused or key.parameter.option.changes == "nothing":
            continue
        value = getattr(settings, name)
        values[name] = [str(choice) for choice in value] if key.many and value else _plain(value)
        if isinstance(value, Choice) and key.registry:
            options = key.registry.find(value.name).options
            values |= {f"{name}.{option}": _plain(value.options.get(option, parameter.default))
                       for option, parameter in options.items()}
        for choice in value if key.many and value else [value] if isinstance(value, Choice) else ():
            assert key.registry is not None
            component = key.registry.find(choice.name)
            prefix = f"{name}.{choice}" if key.many else name
            told = _arguments(component.target) if component.ready else {}
            values |= {f"{prefix}.{argument}": _as_json(item) for argument, item in told.items()}
            if name not in FIXED and written_by_user(component.target):
                values[f"{prefix}.{CODE}"] = code_hash(component.target) or UNTOLD
    return values


def _arguments(made: Any) -> dict[str, Any]:
    """What a Python object was made with, by name, as far as its get_config() and its attributes tell, else UNTOLD.

    Without its own name, which Keras counts up.
    """
    if isinstance(made, partial):
        return {"args": made.args, **made.keywords}
    if inspect.isroutine(made):
        return {}
    told: dict[str, Any] = {}
    with contextlib.suppress(Exception):  # of what has none, or holds a schedule that has none
        told = dict(made.get_config())
    if not told or not getattr(type(made).__init__, "__module__", "").startswith("keras."):
        for name, parameter in _parameters(type(made)).items():
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                told.setdefault(name, getattr(made, name, getattr(made, f"_{name}", UNTOLD)))
    told.pop("name", None)
    return told


def _parameters(made_by: type) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(made_by).parameters
    except (TypeError, ValueError):  # some of those that are written in C
        return {}


def _as_json(value: Any) -> Any:
    """A number or text as it is, all else as JSON's text, a long one cut; UNTOLD where it is more than data."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, bool | int | float | str | None):
        return value
    try:
        text = json.dumps(value, sort_keys=True)
    except (TypeError, ValueError):
        return UNTOLD
    return text if len(text) < 500 else f"{text[:100]}... (SHA-256 {hashlib.sha256(text.encode()).hexdigest()[:12]})"


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | None) else str(value)


def changeable() -> list[str]:
    """Return the names that --allow_change takes."""
    names = [name for name, key in keys(Settings).items()
             if not key.users and key.parameter.option.changes != "nothing" and name not in FIXED]
    return [*names, *DATA]


def allowed_changes(settings: Settings) -> list[str]:
    """Return the names in --allow_change. Raises UsageError for one that is none, and without a run to go on."""
    names = [name.strip() for name in (settings.allow_change or "").split(",") if name.strip()]
    if names and not settings.auto_resume_checkpoint:
        raise UsageError("--allow_change is for a run that goes on; add --auto_resume_checkpoint, or leave it out")
    for name in names:
        if name not in changeable():
            raise UsageError(f"--allow_change {name}: expected some of {', '.join(changeable())}."
                             f"{nearest(name, changeable())}")
    return names


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two notes of what a run was made with; what one does not note is not compared."""
    found = []
    for name, new in now.items():
        old = before.get(name, new)
        if name in DATA:
            if words := difference(old, new):
                found.append(Change(name, old["pictures"], new["pictures"], f"other {DATA[name]} ({words})"))
        elif old == new or UNTOLD in (old, new) or name in (BACKEND, SPAN, LABEL_PALETTE):
            continue
        elif name.endswith(f".{CODE}"):
            found.append(Change(name, old, new, f"other code of --{name.removesuffix(f'.{CODE}')}"))
        else:
            together = ", all workers together" if name == "batch_size" else ""
            found.append(Change(name, old, new,
                                f"--{name} {as_text(old)}, this run has {as_text(new)}{together}"))
    return _without_consequences(found, before)


def _without_consequences(found: list[Change], before: Mapping[str, Any]) -> list[Change]:
    """Leave out another number of steps where it only follows from other pictures or another batch."""
    names = {change.name for change in found}
    if "steps_per_epoch" not in names:
        return found
    if names & {"data", "batch_size"}:
        return [change for change in found if change.name != "steps_per_epoch"]
    if "data" in before:
        return found
    # A checkpoint of earlier versions, which tells no more.
    return [change._replace(name="data", words=f"{change.old} steps an epoch, this run has {change.new} (pictures "
                            "were added or removed, or --steps_per_epoch is another)")
            if change.name == "steps_per_epoch" else change for change in found]


def other_span(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return in words what another number of epochs does to a schedule that ends with the run, or None."""
    old, new = (noted.get(SPAN) for noted in (before, now))
    if None in (old, new) or old == new:
        return None
    return (f"--lr_schedule {now['lr_schedule']} ends after {new} epochs now, and ended after {old} before: from "
            "here on the learning rate is another than it would have been")


def untold(now: Mapping[str, Any]) -> list[str]:
    """Return the names of what cannot be compared, because the user's own objects do not tell it."""
    return [name for name, value in now.items() if isinstance(value, str) and value == UNTOLD]


def other_backend(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return in words that a run goes on by another backend; None where it does not, or where none is noted."""
    old, new = before.get(BACKEND), now.get(BACKEND)
    if not old or not new or old == new:
        return None
    return f"the run began on {old} and goes on on {new}: the same training but for rounding, not equal to the bit"


def refuse(path: Path, found: Sequence[Change], allowed: Sequence[str]) -> None:
    """Raise UsageError for changes since the checkpoint at `path` that are not allowed."""
    names = list(dict.fromkeys(change.name.partition(".")[0] for change in found))
    refused = [name for name in names if name not in allowed]
    if not refused:
        return
    words = "; ".join(change.words for change in found if change.name.partition(".")[0] in refused)
    fixed = any(name in FIXED for name in refused)
    going_on = "" if fixed else f", or --allow_change {','.join([*allowed, *refused])} to go on with the new ones"
    raise UsageError(f"{path} was made with {words}; give the settings it was made with, or another --model_dir with "
                     f"--init_from {path} to begin a run from its weights{going_on}")


def note(state: State, found: Sequence[Change], before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Let a state go on in spite of changes: they are noted for the history, and what does not fit begins anew.

    With another number of steps an epoch that was begun is begun again. Where scores cannot be compared with those
    before, the best epoch is looked for anew; losses never can.
    """
    names = {change.name.partition(".")[0] for change in found}
    state.changed = "; ".join(change.words if change.name in DATA else
                              f"{change.name} {as_text(change.old)} -> {as_text(change.new)}" for change in found)
    if before.get("steps_per_epoch") != now.get("steps_per_epoch"):
        state.begin_epoch_again(now["steps_per_epoch"])
    if "learning_rate" in names:
        state.learning_rate = None
    known = keys(Settings)
    others = {name for name in names if name in known and known[name].parameter.option.changes == "scores"}
    if others or "val_data" in names or "loss" in now["monitor"]:
        state.forget_best()
