"""Declaring settings: the fields of a dataclass.

A field is set under its name, an option of its components under FIELD.OPTION: both are keys.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from segnet_hpu.components import OBJECT, WAS_OBJECT, Choice, Component, Registry
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.options import REQUIRED, Option, Parameter


def option(default: Any, help: str, **details: Any) -> Any:
    """Declare a setting. default: the value, or REQUIRED. details: those of `Option`."""
    return dataclasses.field(default=default, metadata={"option": Option(help, **details)})


def component(registry: Registry, default: Any, help: str, *, many: bool = False, **details: Any) -> Any:
    """Declare a setting whose value is a Choice of a component, or, of `many`, a list of them or None.

    Its options are settings too: of a field `loss`, the option `smooth` of its components is `loss.smooth`.
    """
    metadata = {"option": Option(help, **details), "registry": registry, "many": many}
    chosen = default if default is REQUIRED else Choice(default)
    return dataclasses.field(default=None if many else chosen, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Key:
    """A name under which something is set: a field, or FIELD.OPTION of the components of a field.

    users: the names of the components that have the option; its default is that of the field's default component,
    or what all have in common, else None. many: whether the field holds a list of components.
    """

    parameter: Parameter
    registry: Registry | None = None
    many: bool = False
    users: list[str] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        return self.parameter.name

    @property
    def alias(self) -> str | None:
        return self.parameter.option.alias

    @property
    def variables(self) -> list[str]:
        """The environment variables that set it, the one that wins last."""
        names = [self.parameter.option.variable, self.alias and f"SEGNET_{self.alias.upper()}",
                 f"SEGNET_{self.name.upper().replace('.', '_')}"]
        return [name for name in names if name]

    def convert(self, value: Any, where: str) -> Any:
        """Return `value` as what the key sets; raise UsageError naming `where` if it cannot be that."""
        if self.registry is None or self.users:
            return self.parameter.convert(value, where)
        if not self.many:
            return self.registry.choice(value, where)
        if _is_none(value):
            return None
        items = [item.strip() for item in value.split(",")] if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            items = [items]
        for item in items:
            if not isinstance(item, Mapping | Choice) and not self.registry.knows(item):
                names = self.registry.names()
                hint = WAS_OBJECT if str(item).startswith(OBJECT) else nearest(item, names)
                also = "" if isinstance(item, str) else f", or {self.registry.expected}"
                raise UsageError(f"{where} is {value!r}; expected a list of {', '.join(names)}, or MODULE:NAME{also} "
                                 f"({str(item)!r} is unknown.{hint})")
        choices = [self.registry.choice(item, where) for item in items]
        different = [choice for i, choice in enumerate(choices) if choice not in choices[:i]]
        for i, choice in enumerate(different):
            if choice.name in [other.name for other in different[:i]]:
                raise UsageError(f"{where} has {choice} twice, with other options; expected every one once")
        return different


def _keys(cls: Any) -> dict[str, Key]:
    """Return the keys of a dataclass of settings by name, each field before its components' options."""
    found: dict[str, Key] = {}
    for field in dataclasses.fields(cls):
        declaring = next(base for base in cls.__mro__ if field.name in vars(base).get("__annotations__", {}))
        declared: Option = field.metadata["option"]
        declared = dataclasses.replace(declared, group=declared.group or getattr(declaring, "GROUP", "options"))
        registry, many = field.metadata.get("registry"), field.metadata.get("many", False)
        found[field.name] = Key(Parameter(field.name, field.type, field.default, declared), registry, many)
        if registry is None:
            continue
        for known in registry.components().values():
            for name, parameter in known.options.items():
                dotted = f"{field.name}.{name}"
                if dotted in found:
                    found[dotted].users.append(known.name)
                    continue
                shown = dataclasses.replace(parameter.option, group=declared.group)
                default = _shown_default(registry, field.default, name)
                own = parameter._replace(name=dotted, option=shown, default=default)
                found[dotted] = Key(own, registry, many, [known.name])
    return found


def _shown_default(registry: Registry, chosen: Any, option: str) -> Any:
    """Return the default of an option: that of the component that is chosen by default, or what all agree on."""
    defaults = {known.name: known.options[option].default for known in registry.components().values()
                if option in known.options}
    if isinstance(chosen, Choice) and chosen.name in defaults:
        return defaults[chosen.name]
    first, *others = defaults.values()
    return first if all(other == first for other in others) else None


keys: Callable[[type], dict[str, Key]] = cache(_keys)


def aliases(cls: type) -> dict[str, str]:
    """Return {second name: name} of the keys that have one."""
    return {key.alias: name for name, key in keys(cls).items() if key.alias and key.alias != name}


def canonical(cls: type, name: str, where: str) -> str:
    """Return the key's own name of a name or alias, also of an option that only a component of the user's own has.

    Raises UsageError, with the nearest name, for an unknown one.
    """
    known = keys(cls)
    name = aliases(cls).get(name, name)
    parent = known.get(str(name).partition(".")[0])
    if name not in known and not (parent and parent.registry and "." in name):
        raise UsageError(f"{where}unknown setting {name!r}.{nearest(name, [*known, *aliases(cls)])}")
    return name


Values = dict[str, tuple[Any, str]]  # {key: (value as it was given, where that was)}


def build(cls: type, values: Values) -> dict[str, Any]:
    """Return {field: value} of those fields that the values set. Raises UsageError for what cannot be."""
    built = {name: key.convert(*values[name]) for name, key in keys(cls).items()
             if name in values and not key.users}
    for name in {key.partition(".")[0]: None for key in values if "." in key}:
        loose = {key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{name}.")}
        chosen = built.get(name, cls.__dataclass_fields__[name].default)  # type: ignore[attr-defined]
        if chosen is not REQUIRED:  # else the component itself is missing, which its reader says
            built[name] = _with_options(cls, keys(cls)[name], chosen, loose)
    return built


def leave_behind(cls: type, values: Values, later: Values) -> None:
    """Remove from `values` the options of components that a later source replaces by others.

    So an option that stands apart from its component goes with it as one inside its mapping does.
    """
    for name, key in keys(cls).items():
        options = [option for option in values if option.startswith(f"{name}.")]
        if not (options and name in values and name in later and key.registry):
            continue
        try:
            before, after = (_choices(key.convert(*source[name])) for source in (values, later))
            replaced = [key.registry.find(choice.name) for choice in before
                        if choice.name not in [other.name for other in after]]
        except UsageError:  # of what is overridden it is no fault, and `build` says it of the other
            continue
        for option in options:
            if any(option.partition(".")[2] in component.options for component in replaced):
                del values[option]


def variables_of_own(cls: type, values: Values, environ: Mapping[str, str]) -> Values:
    """Return the environment's values for options that only components of the user's own have.

    values: of all sources, which say what the components are.
    """
    taken = {variable for key in keys(cls).values() for variable in key.variables}
    found: Values = {}
    for name, key in keys(cls).items():
        if not key.registry or key.users or name not in values:
            continue
        try:
            components = [key.registry.find(choice.name) for choice in _choices(key.convert(*values[name]))]
        except UsageError:  # which `build` says
            continue
        for option in {option: None for component in components for option in component.options}:
            variable = f"SEGNET_{name}_{option}".upper()
            if variable in environ and variable not in taken:
                found[f"{name}.{option}"] = environ[variable], variable
    return found


def _choices(chosen: Any) -> list[Choice]:
    return [chosen] if isinstance(chosen, Choice) else list(chosen or ())


def _with_options(cls: type, key: Key, chosen: Any, loose: Mapping[str, tuple[Any, str]]) -> Any:
    """Return the Choice, or the list of them, with options that were given apart from it."""
    assert key.registry is not None
    choices = _choices(chosen)
    found = [key.registry.find(choice.name) for choice in choices]
    options = [dict(choice.options) for choice in choices]
    for name, (value, where) in loose.items():
        users = [i for i, component in enumerate(found) if name in component.options]
        if not users and not _says_nothing(cls, f"{key.name}.{name}", value, where):
            raise UsageError(_misplaced(cls, key, name, found, value, where))
        for i in users:
            own = found[i].options[name]
            is_unset = _is_none(value) and value not in (*(own.option.choices or ()), *own.option.words)
            options[i][name] = None if is_unset else own.convert(value, where)
    choices = [key.registry.choice(Choice(choice.name, own)) for choice, own in zip(choices, options, strict=True)]
    return choices[0] if isinstance(chosen, Choice) else choices or None


def _is_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.lower() == "none")


def _says_nothing(cls: type, name: str, value: Any, where: str) -> bool:
    """Whether an option that no chosen component has may stand there: it is none, or what a file of every setting,
    and its flat name, have always been allowed to say."""
    if _is_none(value):
        return True
    known = keys(cls).get(name)
    is_dotted_flag = where.startswith("--") and "." in where.partition("=")[0]
    if known is None or known.parameter.option.ignored is None or is_dotted_flag:
        return False
    return bool(known.convert(value, where) == known.parameter.option.ignored)


def _misplaced(cls: type, key: Key, option: str, found: list[Component], value: Any, where: str) -> str:
    """The message for an option that none of the components has."""
    assert key.registry is not None
    known = keys(cls).get(f"{key.name}.{option}")
    names = ", ".join(component.name for component in found) or "none"
    if known is None:
        if len(found) == 1:
            return key.registry.takes_no(found[0], option, where)
        own = {name for component in found for name in component.options}
        return f"{where}: {key.registry.kind} {names} takes no {option}.{nearest(option, own)}"
    is_named = where.startswith(("--", "SEGNET_")) or ": " in where  # else a name that Python's caller gave
    said = where if is_named else f"--{known.alias or known.name}"
    if key.many:
        return (f"{said} {value} is for the {key.registry.kind}s of {', '.join(known.users)}; ask for them, or "
                "leave it out")
    rest = "it" if ": " in said else said
    return (f"{said} does not go with --{key.name} {names}; expected --{key.name} {', '.join(known.users)}, or leave "
            f"{rest} out")


def flatten(settings: Any) -> dict[str, Any]:
    """Return {key: value}, options of components by FIELD.OPTION, from which `build` makes equal fields."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        many = isinstance(value, list) and bool(field.metadata.get("many"))
        flat[field.name] = [choice.name for choice in value] if many else value
        for choice in value if many else [value] if isinstance(value, Choice) else ():
            flat[field.name] = flat[field.name] if many else choice.name
            flat |= {f"{field.name}.{name}": item for name, item in choice.options.items()}
    return flat
