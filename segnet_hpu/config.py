"""Typed settings: one dataclass a command, read from YAML, environment and flags.

Each field is made with `option` or `component` and becomes a YAML key, a variable `SEGNET_<FIELD>` and a flag
`--<field>`; later sources win in that order. An option of a component is set as `--loss.smooth 1`, as
`loss: {name: dice, smooth: 1}` in YAML, or by SEGNET_LOSS_SMOOTH.
"""

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from segnet_hpu.components import OBJECT, Choice
from segnet_hpu.errors import UsageError
from segnet_hpu.fields import (
    Values,
    build,
    canonical,
    component,
    flatten,
    keys,
    leave_behind,
    option,
    variables_of_own,
)
from segnet_hpu.files import refuse_special
from segnet_hpu.flags import parse_flags
from segnet_hpu.options import REQUIRED, as_text

__all__ = ["REQUIRED", "component", "flatten", "from_values", "is_default", "option", "read", "read_yaml", "to_flags",
           "to_yaml", "value_of"]

T = TypeVar("T")
MAX_ENTRIES = 1_000_000  # of a YAML file; a few bytes of aliases can stand for more than a memory holds
UNWRITTEN = ("config", "print_config")  # settings that are of a call, not of what it does


def read(cls: type[T], argv: Sequence[str] = (), *, prog: str, environ: Mapping[str, str] = os.environ) -> T:
    """Return an instance of `cls` from its defaults, `--config` YAML, environment and flags.

    Raises UsageError for unknown names, wrong types and missing required settings.
    """
    flags = parse_flags(cls, argv, prog)
    values: Values = {}
    if "config" in keys(cls):
        path = flags["config"][0] if "config" in flags else environ.get("SEGNET_CONFIG")
        values = _from_yaml(cls, path) if path else {}
    variables = {name: (environ[variable], variable) for name, key in keys(cls).items()
                 for variable in key.variables if variable in environ}
    _apply_at_once(cls, values | variables | flags)
    variables |= variables_of_own(cls, values | variables | flags, environ)
    for later in (variables, flags):
        leave_behind(cls, values, later)
        for name, (value, where) in later.items():
            _put(cls, values, name, value, where)
    settings = cls(**build(cls, values))
    missing = [f"--{name}" for name in _missing(settings)]
    if missing:
        command = prog.partition(" ")[2] or prog  # the program's own name stands before every message
        raise UsageError(f"{command} needs {', '.join(missing)}; see {prog} --help")
    return settings


def _apply_at_once(cls: type, values: Values) -> None:
    """Let those settings take effect that have to before a user's own modules are imported."""
    for name, key in keys(cls).items():
        apply = key.parameter.option.at_once
        if apply:
            apply(key.convert(*values[name]) if name in values else key.parameter.default)


def from_values(cls: type[T], **given: Any) -> T:
    """Return `cls(**given)` with every value checked as if it came from a YAML file.

    Raises UsageError for unknown names, wrong types and missing required settings.
    """
    values: Values = {}
    for name, value in given.items():
        _put(cls, values, canonical(cls, name, ""), value, name)
    settings = cls(**build(cls, values))
    missing = _missing(settings)
    if missing:
        raise UsageError(f"missing setting: {', '.join(missing)}")
    return settings


def _put(cls: type, values: Values, name: str, value: Any, where: str) -> None:
    """Set a value over that of an earlier source; the name of the same component leaves its options as they are."""
    earlier = values.get(name, (None, ""))[0]
    key = keys(cls).get(name)
    if key and key.registry and isinstance(earlier, str) and "=" in earlier:  # such as standard,rotate=5
        earlier = {"name": earlier.partition(",")[0].strip()}
    if isinstance(earlier, list):
        value = _with_earlier_options(value, earlier)
    if not (isinstance(earlier, Mapping) and earlier.get("name") == value):
        values[name] = value, where


def _with_earlier_options(value: Any, earlier: list[Any]) -> Any:
    """Return a list of components, or its text a,b, with the earlier mapping in place of a name that it has."""
    options = {item.get("name"): item for item in earlier if isinstance(item, Mapping)}
    names = value.split(",") if isinstance(value, str) else value
    if not options or not isinstance(names, list):
        return value
    return [options.get(name, name) if isinstance(name, str) else name for name in names]


def _missing(settings: Any) -> list[str]:
    return [f.name for f in dataclasses.fields(settings) if getattr(settings, f.name) is REQUIRED]


def to_yaml(settings: Any) -> str:
    """Return the settings as YAML text that `--config` reads back to an equal instance.

    A Python object among them, which YAML cannot hold, stands as words that `--config` refuses, below a comment.
    """
    import yaml

    values = {field.name: _plain(getattr(settings, field.name)) for field in dataclasses.fields(settings)
              if field.name not in UNWRITTEN}
    comments = [f"# {name} was a Python object, which cannot be written here: give it again.\n"
                for name, value in values.items() if OBJECT in str(value)]
    return "".join(comments) + yaml.safe_dump(values, sort_keys=False)


def _plain(value: Any) -> Any:
    """Return what YAML can hold of a value."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Choice) and isinstance(value.name, str):
        return value.value()
    if isinstance(value, str | int | float | None):
        return value
    return f"{OBJECT}{Choice(getattr(value, 'name', value))}"


def to_flags(settings: Any, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return flags, ["--name=value", ...], that `read` turns into an equal instance under the same `environ`.

    Settings at their default are left out where nothing in `environ` would change them. The YAML file is
    not named: its settings are among the flags.
    """
    values, flags = flatten(settings), []
    for name, key in keys(type(settings)).items():
        default = str(key.parameter.default) if key.registry and not key.many else key.parameter.default
        value, default = values.get(name), None if key.users else default
        named = "SEGNET_CONFIG" in environ or any(variable in environ for variable in key.variables)
        if name not in UNWRITTEN and (named or key.parameter.default is REQUIRED or value != default):
            flags.append(f"--{name}={as_text(value)}")
    own = [name for name in values if name not in keys(type(settings))]
    return flags + [f"--{name}={as_text(values[name])}" for name in own]


def value_of(settings: Any, name: str) -> Any:
    """Return the value of a key, also by its second name; None for an option that is not set."""
    return flatten(settings).get(canonical(type(settings), name, ""))


def is_default(settings: Any, name: str) -> bool:
    """Return whether a setting has the value that it has without being set."""
    return getattr(settings, name) == getattr(type(settings), name)


def read_yaml(flag: str, path: str) -> dict[str, Any]:
    """Return the mapping in a YAML file, {} for an empty one; raises UsageError that names `flag` and the path."""
    try:
        import yaml
    except ModuleNotFoundError:
        raise UsageError(f"{flag} {path} cannot be read without PyYAML; run run_scripts/setup_env.sh cpu, or "
                         "pip install PyYAML") from None
    refuse_special(flag, path)
    try:
        with open(path, encoding="utf-8") as file:
            values = yaml.safe_load(file)
    except OSError as error:
        raise UsageError(f"{flag} {path}: {error.strerror}; expected a YAML file") from None
    # Besides its own error PyYAML lets through those of impossible dates, of bytes that are no text and of depth.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        at = "" if line is None else f", line {line + 1}"
        raise UsageError(f"{flag} {path}{at}: not valid YAML; expected lines of 'setting: value'") from None
    if _entries(values, {}) > MAX_ENTRIES:
        raise UsageError(f"{flag} {path}: its aliases (*NAME) stand for more than {MAX_ENTRIES:,} entries; expected "
                         "a file without such")
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise UsageError(f"{flag} {path}: expected lines of 'setting: value', found a {type(values).__name__}")
    return values


def _entries(value: Any, known: dict[int, float]) -> float:
    """Return how many entries a YAML value has when its aliases are written out; inf where it holds itself."""
    if not isinstance(value, list | dict):
        return 1
    if id(value) not in known:
        known[id(value)] = math.inf
        parts = value if isinstance(value, list) else [*value, *value.values()]
        known[id(value)] = 1 + sum(_entries(part, known) for part in parts)
    return known[id(value)]


def _from_yaml(cls: type, path: str) -> Values:
    values: Values = {}
    for name, value in read_yaml("--config", path).items():
        known = canonical(cls, name, f"--config {path}: ")
        if known == "config":
            raise UsageError(f"--config {path}: unknown setting 'config'.")
        values[known] = value, f"{path}: {name}"
    return values
