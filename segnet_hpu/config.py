"""Typed settings: one dataclass a command, read from YAML, environment and flags.

Each field is made with `option` and becomes a YAML key, a variable `SEGNET_<FIELD>`
and a flag `--<field>`; later sources win in that order.
"""

import argparse
import dataclasses
import os
import types
import typing

from segnet_hpu.errors import UsageError, nearest

REQUIRED = object()


def option(default, help, *, choices=None, minimum=None, maximum=None, group="options", parse=None,
           variable=None, words=None, alias=None):
    """Declare a setting.

    default: the value, or REQUIRED. choices: allowed values.
    minimum, maximum: inclusive bounds of numbers. group: heading in --help.
    parse: a function str -> value for types that are no plain scalar; raises ValueError.
    variable: an environment variable that sets it as SEGNET_<FIELD> does, for names that others know.
    words: {word: value} of what may stand in place of a number, such as {"auto": 4}.
    alias: a second name of the flag, keras_segmentation's where ours differs.
    """
    meta = dict(help=help, choices=choices, minimum=minimum, maximum=maximum, group=group, parse=parse,
                variable=variable, words=words or {}, alias=alias)
    return dataclasses.field(default=default, metadata=meta)


def read(cls, argv=(), *, prog, environ=os.environ):
    """Return an instance of `cls` from its defaults, `--config` YAML, environment and flags.

    Raises UsageError for unknown names, wrong types and missing required settings.
    """
    flags = _parse_flags(cls, argv, prog)
    values = {}
    if "config" in (f.name for f in dataclasses.fields(cls)):
        path = flags.get("config") or environ.get("SEGNET_CONFIG")
        values = _from_yaml(cls, path) if path else {}
    for field in dataclasses.fields(cls):
        for name in _variables(field):
            if name in environ:
                values[field.name] = convert(field, environ[name], name)
    for field in dataclasses.fields(cls):
        if field.name in flags:
            values[field.name] = convert(field, flags[field.name], f"--{field.name}")
    settings = cls(**values)
    missing = [f"--{f.name}" for f in dataclasses.fields(cls) if getattr(settings, f.name) is REQUIRED]
    if missing:
        raise UsageError(f"{prog} needs {', '.join(missing)}; see {prog} --help")
    return settings


def from_values(cls, **values):
    """Return `cls(**values)` with every value checked as if it came from a YAML file.

    Raises UsageError for unknown names, wrong types and missing required settings.
    """
    known = {f.name: f for f in dataclasses.fields(cls)}
    for key in values:
        if key not in known:
            raise UsageError(f"unknown setting {key!r}.{nearest(key, known)}")
    settings = cls(**{k: convert(known[k], v, k) for k, v in values.items()})
    missing = [name for name in known if getattr(settings, name) is REQUIRED]
    if missing:
        raise UsageError(f"missing setting: {', '.join(missing)}")
    return settings


def convert(field, value, where):
    """Return `value` as the field's type; raise UsageError naming `where` if it is not one."""
    meta = field.metadata
    optional = type(None) in typing.get_args(field.type)
    if optional and (value is None or (isinstance(value, str) and value.lower() == "none")):
        return None
    if value is None:
        raise UsageError(f"{where} is empty; expected {_describe(field)}")
    if isinstance(value, str) and value in meta["words"]:
        return meta["words"][value]
    try:
        value = (meta["parse"] or _SCALARS[_scalar_type(field)])(value)
    except (ValueError, TypeError, OverflowError) as error:
        detail = f" ({error})" if meta["parse"] else ""
        raise UsageError(f"{where} is {value!r}; expected {_describe(field)}{detail}") from None
    if meta["choices"] and value not in meta["choices"]:
        raise UsageError(f"{where} is {value!r}; expected {_describe(field)}."
                         f"{nearest(value, meta['choices'])}")
    low, high = meta["minimum"], meta["maximum"]
    if (low is not None and value < low) or (high is not None and value > high):
        raise UsageError(f"{where} is {value}; expected {_describe(field)}")
    return value


def to_yaml(settings):
    """Return the settings as YAML text that `--config` reads back to an equal instance."""
    import yaml

    values = {k: v for k, v in dataclasses.asdict(settings).items() if k not in ("config", "print_config")}
    return yaml.safe_dump(values, sort_keys=False)


def to_flags(settings, environ=os.environ):
    """Return flags, ["--name=value", ...], that `read` turns into an equal instance under the same `environ`.

    Settings at their default are left out where nothing in `environ` would change them. The YAML file is
    not named: its settings are among the flags.
    """
    fields = [f for f in dataclasses.fields(settings) if f.name not in ("config", "print_config")]
    flags = []
    for field in fields:
        value = getattr(settings, field.name)
        named = "SEGNET_CONFIG" in environ or any(name in environ for name in _variables(field))
        if named or field.default is REQUIRED or value != field.default:
            flags.append(f"--{field.name}={_as_text(value)}")
    return flags


def _as_text(value):
    if isinstance(value, list):
        return ",".join(map(_as_text, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _variables(field):
    """The environment variables that set a field, the one that wins last."""
    own = f"SEGNET_{field.name.upper()}"
    return [field.metadata["variable"], own] if field.metadata["variable"] else [own]


def is_default(settings, name):
    """Return whether a setting has the value that it has without being set."""
    return getattr(settings, name) == getattr(type(settings), name)


def read_yaml(flag, path):
    """Return the mapping in a YAML file, {} for an empty one; raises UsageError that names `flag` and the path."""
    try:
        import yaml
    except ModuleNotFoundError:
        raise UsageError(f"{flag} {path} cannot be read without PyYAML; run run_scripts/setup_env.sh cpu, or "
                         "pip install PyYAML") from None
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
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise UsageError(f"{flag} {path}: expected lines of 'setting: value', found a {type(values).__name__}")
    return values


def _from_yaml(cls, path):
    values = read_yaml("--config", path)
    known = {f.name: f for f in dataclasses.fields(cls) if f.name != "config"}
    for key in values:
        if key not in known:
            raise UsageError(f"--config {path}: unknown setting {key!r}.{nearest(key, known)}")
    return {k: convert(known[k], v, f"{path}: {k}") for k, v in values.items()}


def _parse_flags(cls, argv, prog):
    parser = _Parser(prog=prog, description=cls.__doc__, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    groups = {}
    # What several commands share comes from a base class, and would stand first.
    for field in sorted(dataclasses.fields(cls), key=lambda field: field.name in _inherited(cls)):
        meta = field.metadata
        group = groups.setdefault(meta["group"], None) or parser.add_argument_group(meta["group"])
        groups[meta["group"]] = group
        is_bool = _scalar_type(field) is bool
        default = "required" if field.default is REQUIRED else f"default: {_default_of(field)}"
        choices = f" {{{','.join(map(str, meta['choices']))}}}" if meta["choices"] else ""
        names = [f"--{name}" for name in (field.name, meta["alias"]) if name]
        group.add_argument(*names, dest=field.name, default=argparse.SUPPRESS,
                           nargs="?" if is_bool else None, const="true" if is_bool else None,
                           metavar="BOOL" if is_bool else field.name.upper().split("_")[-1],
                           help=f"{meta['help']}{choices} ({default})".replace("%", "%%"))
    return vars(parser.parse_args(list(argv)))


def _inherited(cls):
    bases = filter(dataclasses.is_dataclass, cls.__bases__)
    return {field.name for base in bases for field in dataclasses.fields(base)}


class _Parser(argparse.ArgumentParser):
    """argparse that raises UsageError, with the nearest right flag for an unknown one."""

    def error(self, message):
        raise UsageError(f"{message}; see {self.prog} --help")

    def parse_args(self, args):
        namespace, unknown = self.parse_known_args(args)
        if unknown:
            name = unknown[0].split("=")[0]
            flags = [s for action in self._actions for s in action.option_strings if s.startswith("--")]
            kind = "flag" if name.startswith("-") else "argument"
            hint = nearest(name, flags) if kind == "flag" else ""
            raise UsageError(f"unknown {kind} {name}.{hint} See {self.prog} --help")
        return namespace


def _scalar_type(field):
    """The type of a field without the None of `T | None`."""
    if isinstance(field.type, types.UnionType):
        return next(t for t in typing.get_args(field.type) if t is not type(None))
    return field.type


def _default_of(field):
    return str(field.default).lower() if isinstance(field.default, bool) else field.default


def _describe(field):
    meta = field.metadata
    if meta["choices"]:
        return "one of " + ", ".join(map(str, meta["choices"]))
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    text = words.get(_scalar_type(field), "a value")
    if meta["parse"]:
        text = meta["parse"].__doc__ or text
    if meta["minimum"] is not None:
        text += f" of at least {meta['minimum']}"
    if meta["maximum"] is not None:
        text += f" {'and' if meta['minimum'] is not None else 'of'} at most {meta['maximum']}"
    return ", or ".join([text, *meta["words"]])


def _to_bool(value):
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "1": True, "on": True,
             "false": False, "no": False, "0": False, "off": False}
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _to_int(value):
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _to_float(value):
    number = float(value)
    if isinstance(value, bool) or number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _to_str(value):
    if isinstance(value, (dict, list)):
        raise ValueError
    return str(value)


_SCALARS = {bool: _to_bool, int: _to_int, float: _to_float, str: _to_str}
