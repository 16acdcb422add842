"""Flags of the command line, and their help, from declared settings."""

import argparse
import dataclasses
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.fields import Key, keys
from segnet_hpu.options import REQUIRED, as_text


def parse_flags(cls: type, argv: Sequence[str], prog: str) -> dict[str, tuple[Any, str]]:
    """Return {key: (text, flag)} of the flags in `argv`; print the help of `cls` and exit where they ask for it.

    The setting that `cls.ARGUMENT` names may stand first, without its flag. Raises UsageError, with the nearest flag,
    for an unknown one.
    """
    parser = _Parser(prog=prog, description=cls.__doc__, allow_abbrev=False, formatter_class=_Formatter)
    parser.parents = {name for name, key in keys(cls).items() if key.registry and not key.users}
    groups: dict[str, Any] = {}
    # What several commands share comes from a base class, and would stand first.
    for key in sorted(keys(cls).values(), key=lambda key: key.name.partition(".")[0] in _inherited(cls)):
        group = key.parameter.option.group or "options"
        if group not in groups:
            groups[group] = parser.add_argument_group(group)
        _add(groups[group], key)
    if hasattr(cls, "ARGUMENT") and argv and not argv[0].startswith("-"):
        argv = [f"--{cls.ARGUMENT}", *argv]
    found: dict[str, tuple[Any, str]] = {}
    for flag, text in vars(parser.parse_args(list(argv))).items():
        found[flag.partition("=")[0]] = (text, f"--{flag.partition('=')[2] or flag}")
    return found | parser.options


def _add(group: Any, key: Key) -> None:
    """Add the flag of a key; its alias as a second flag, which is known by its own name in messages."""
    option, is_bool = key.parameter.option, key.parameter.scalar is bool
    details = {"default": argparse.SUPPRESS, "nargs": "?" if is_bool else None, "const": "true" if is_bool else None,
               "metavar": "BOOL" if is_bool else key.name.upper().replace(".", "_").split("_")[-1]}
    names = [f"--{name}" for name in (key.name, None if key.users else option.alias) if name]
    group.add_argument(*names, dest=key.name, help=describe(key).replace("%", "%%"), **details)
    if key.users and option.alias:
        group.add_argument(f"--{option.alias}", dest=f"{key.name}={option.alias}", help=argparse.SUPPRESS, **details)


def describe(key: Key) -> str:
    """Return the help of a key, with its choices and its default."""
    option, default = key.parameter.option, key.parameter.default
    text = option.help
    if key.users:
        assert key.registry is not None
        if len(key.users) < len(key.registry.names()):
            text = f"of {', '.join(key.users)}: {text}"
    elif key.registry:
        text += f": {', '.join(key.registry.names())}, or MODULE:NAME"
    if option.choices:
        text += f" {{{','.join(map(str, option.choices))}}}"
    if key.users and option.alias:
        text += f"; also --{option.alias}"
    if default is None:
        return text
    shown = as_text(default)
    return f"{text} (required)" if default is REQUIRED else f"{text} (default: {shown})"


def _inherited(cls: type) -> set[str]:
    bases = filter(dataclasses.is_dataclass, cls.__bases__)
    return {field.name for base in bases for field in dataclasses.fields(base)}


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help whose lines break between words alone."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)


class _Parser(argparse.ArgumentParser):
    """argparse that raises UsageError, with the nearest right flag for an unknown one.

    parents: names of the settings that are components. options: {name: (text, flag)} of the flags --PARENT.OPTION
    that are not known to it: a component of the user's own may have them.
    """

    parents: set[str]
    options: dict[str, tuple[Any, str]]

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        namespace, unknown = self.parse_known_args(args)
        self.options = {}
        while unknown and "." in unknown[0] and unknown[0].partition(".")[0][2:] in self.parents:
            flag, equals, text = unknown.pop(0).partition("=")
            if not equals:
                text = unknown.pop(0) if unknown and not unknown[0].startswith("--") else "true"
            self.options[flag[2:]] = (text, flag)
        if unknown:
            name = unknown[0].split("=")[0]
            flags = [s for action in self._actions for s in action.option_strings if s.startswith("--")]
            kind = "flag" if name.startswith("-") else "argument"
            hint = nearest(name, flags) if kind == "flag" else ""
            raise UsageError(f"unknown {kind} {name}.{hint} See {self.prog} --help")
        return namespace
