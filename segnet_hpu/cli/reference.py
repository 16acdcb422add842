"""`segnet-hpu reference`: what docs/reference.md holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from segnet_hpu.cli.export import Settings as ExportSettings
from segnet_hpu.components import Component
from segnet_hpu.fields import Key, keys
from segnet_hpu.options import REQUIRED, Parameter, as_text
from segnet_hpu.training.settings import Settings as TrainSettings

HEAD = """# Reference: the settings of training, and the components

This page is written by `python -m segnet_hpu reference > docs/reference.md`, from what the settings and components
say of themselves.

A setting is a flag (`--epochs 5`), a key of the YAML file (`epochs: 5`), a variable (`SEGNET_EPOCHS=5`) and an
argument of `segnet_hpu.train.train` (`epochs=5`). A component is named, or is a class, function or object of your
own: `MODULE:NAME` (`MODULE.py` lies in the current folder or is installed), or the object itself in Python. Its
options are set as `--loss dice --loss.smooth 2`, as `loss: {name: dice, smooth: 2}` in YAML and Python, or by
SEGNET_LOSS_SMOOTH. Some have a second, flat name (`--loss_smooth 2`)."""


@dataclass
class Settings:
    """Print every setting of training and every component, with options, bounds and defaults, as Markdown."""


def run(settings: Settings) -> None:
    print("\n".join([HEAD, *_settings(), *_components()]))


def _settings() -> Iterator[str]:
    """A table for each group of settings."""
    group = None
    for key in keys(TrainSettings).values():
        if key.users:
            continue
        if key.parameter.option.group != group:
            group = key.parameter.option.group
            yield from ("", f"## {str(group).capitalize()}", "", "| setting | what | values | default |",
                        "|---|---|---|---|")
        yield _row([f"`{key.name}`", key.parameter.option.help, _expected(key), _default(key.parameter.default)])


def _components() -> Iterator[str]:
    """A table for each setting that is a component."""
    for key in (*keys(TrainSettings).values(), *keys(ExportSettings).values()):
        if key.registry and not key.users:
            components = list(key.registry.components().values())
            shared = _shared(components)
            yield from ("", f"## Components: `--{key.name}`", "", f"Or {key.registry.expected}.", "")
            if shared:
                yield from ("All take these options, with these defaults where the table names no others:",
                            "", *(f"- {_option(parameter)}" for parameter in shared.values()), "")
            yield from ("| name | what | options |", "|---|---|---|")
            for component in components:
                options = (f"`{name}`: {_default(own.default) or 'none'}" if name in shared else _option(own)
                           for name, own in component.options.items()
                           if name not in shared or own.default != shared[name].default)
                yield _row([f"`{component.name}`", component.help, "<br>".join(options)])


def _shared(components: list[Component]) -> dict[str, Parameter]:
    """Return the options, as the first component has them, that all of several components have."""
    first, *others = components
    return {name: own for name, own in first.options.items() if others and all(
        name in other.options and other.options[name].option == own.option for other in others)}


def _option(parameter: Parameter) -> str:
    option = parameter.option
    flat = f" (`--{option.alias}`)" if option.alias else ""
    expected = "" if option.parse else f"; {parameter.expected()}"
    return f"`{parameter.name}`{flat}: {option.help}{expected}; {_default(parameter.default) or 'none'}"


def _expected(key: Key) -> str:
    if key.registry:
        return f"see [below](#components---{key.name})"
    return key.parameter.expected() if not key.parameter.option.parse else ""


def _default(value: Any) -> str:
    if value is REQUIRED:
        return "required"
    return "" if value is None else as_text(value)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
