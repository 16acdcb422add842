"""Components: classes and functions that a user picks by name, with options that they declare themselves.

A kind of component is a `Registry`; a component of it is one class or function under `@registry.register("name")`.
Its options are its keyword parameters of type `Annotated[T, Option(...)]`: flags, YAML keys, checks, help and the
reference page come from there. What is no such parameter is given by the program, not by the user.

    losses = Registry("loss", flag="--loss", package=__name__)

    @losses.register("dice")
    class Dice:
        def __init__(self, *, smooth: Annotated[float, Option("pixels added", minimum=0)] = 1.0): ...

    losses.make({"name": "dice", "smooth": 2}).smooth  # 2.0
"""

import functools
import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args

from segnet_hpu.code_hash import is_installed
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.options import REQUIRED, Option, Parameter

__all__ = ["Choice", "Component", "Option", "Registry", "import_object"]

Target = TypeVar("Target")
OBJECT = "the Python object "  # what stands in a file before the name of an object that it cannot hold
WAS_OBJECT = " It was an object in Python, which no file can hold: give it again"


@dataclass(frozen=True)
class Component:
    """A class or function that makes something, or, where it is `ready`, the thing itself.

    traits: what else was said at its registration, for the program. takes_all: whether **options of it take the
    whole context, not what it names alone.
    """

    name: str
    target: Any
    traits: Mapping[str, Any] = field(default_factory=dict)
    ready: bool = False
    takes_all: bool = False

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """All parameters of the class or function by name; none of a ready thing that is no function."""
        if self.ready and not inspect.isfunction(self.target):
            return {}
        try:
            return inspect.signature(self.target, eval_str=True).parameters
        except NameError:  # types that are known to a type checker alone
            return inspect.signature(self.target).parameters

    @cached_property
    def options(self) -> dict[str, Parameter]:
        """The parameters that a user may set, by name."""
        options = {}
        for name, parameter in self.parameters.items():
            kind, *notes = get_args(parameter.annotation) or (None,)
            for option in (note for note in notes if isinstance(note, Option)):
                default = REQUIRED if parameter.default is parameter.empty else parameter.default
                options[name] = Parameter(name, kind, default, option)
        return options

    @property
    def help(self) -> str:
        """What its registration says of it, or the first line of its docstring."""
        return self.traits.get("help") or (inspect.getdoc(self.target) or "").split("\n")[0]

    def make(self, options: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
        """Call the class or function with the options, and with what it takes of the context.

        A function that is ready itself is returned with its options set.
        """
        if self.ready:
            return functools.update_wrapper(functools.partial(self.target, **options), self.target) if options else (
                self.target)
        return self.target(**{name: value for name, value in context.items() if self.takes(name)}, **options)

    def takes(self, name: str) -> bool:
        """Return whether the class or function gets what the context holds under this name."""
        takes_any = self.takes_all and any(p.kind is p.VAR_KEYWORD for p in self.parameters.values())
        return takes_any or name in self.parameters


@dataclass(frozen=True)
class Choice:
    """A component that was picked, and the options that were set for it.

    name: of the registry, MODULE:NAME, or a Python object of the user's own.
    """

    name: Any
    options: dict[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return self.name if isinstance(self.name, str) else getattr(self.name, "__name__", type(self.name).__name__)

    def value(self) -> Any:
        """Return it as YAML has it: the name, or {"name": ..., option: value, ...}."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in self.options.items()}
        return {"name": self.name, **plain} if plain else self.name


class Registry:
    """The components of a kind.

    kind: what one is called in messages. flag: of the command line. package: the folder of modules in which they are
    registered, all of which are imported when the first is looked for. expected: what MODULE:NAME must be, in
    words, and `accepts`, whether an object is that. functions_are_ready: a function of the user's own is the
    thing itself, not what makes one. takes_all: see Component. adapt: a function (what was made, **context) -> what
    the program uses.
    """

    def __init__(self, kind: str, *, flag: str, package: str | None = None, expected: str = "a class or function",
                 accepts: Callable[[Any], bool] = callable, functions_are_ready: bool = False,
                 takes_all: bool = False,
                 adapt: Callable[..., Any] = lambda made, **context: made) -> None:
        self.kind, self.flag, self.package = kind, flag, package
        self.expected, self.accepts, self.adapt = expected, accepts, adapt
        self.functions_are_ready, self.takes_all = functions_are_ready, takes_all
        self._components: dict[str, Component] = {}

    def register(self, name: str, **traits: Any) -> Callable[[Target], Target]:
        """Return the decorator that makes a class or function known by a name. Raises ValueError for one taken."""
        def add(target: Target) -> Target:
            if name in self._components:
                raise ValueError(f"there is a {self.kind} {name!r} already: {self._components[name].target}")
            self._components[name] = Component(name, target, traits, takes_all=self.takes_all)
            return target
        return add

    def components(self) -> dict[str, Component]:
        """Return all registered components by name."""
        if self.package:
            package, self.package = self.package, None
            for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
                importlib.import_module(module.name)
        return self._components

    def names(self) -> tuple[str, ...]:
        """Return the registered names, in the order of registration."""
        return tuple(self.components())

    def knows(self, name: Any) -> bool:
        """Return whether a name is registered or MODULE:NAME, or an object can be a component."""
        if isinstance(name, str):
            return name in self.components() or all(name.partition(":"))
        return self.accepts(name)

    def find(self, name: Any, where: str = "") -> Component:
        """Return the component of a registered name, of MODULE:NAME, or of an object of the user's own.

        Raises UsageError, with the nearest name, for what is none; where: what it says of the place.
        """
        if isinstance(name, str) and name in self.components():
            return self._components[name]
        if not self.knows(name):
            what = f"{where} is {name!r}" if where else f"unknown {self.kind} {name!r}"
            also = "" if isinstance(name, str) else f", or {self.expected}"
            hint = nearest(name, self.names())
            if isinstance(name, str) and name.startswith(OBJECT):
                hint = WAS_OBJECT
            raise UsageError(f"{what}; expected one of {', '.join(self.names())}, or MODULE:NAME{also}.{hint}")
        found = import_object(name, self.flag, self.expected) if isinstance(name, str) else name
        if isinstance(found, str) or not self.accepts(found):
            raise UsageError(f"{self.flag} {Choice(name)} is a {type(found).__name__}; expected {self.expected}")
        makes = isinstance(found, type) or (inspect.isroutine(found) and not self.functions_are_ready)
        return Component(str(Choice(name)), found, ready=not makes, takes_all=self.takes_all)

    def choice(self, value: Any, where: str = "") -> Choice:
        """Return the checked Choice that a name, {"name": ..., option: value}, a Choice or an object means.

        where: what a refusal says of the place, such as "--loss" or "run.yaml: loss".
        Raises UsageError for an unknown name or option and for a value that the option does not take.
        """
        if isinstance(value, Mapping):
            if "name" not in value:
                raise UsageError(f"{where or self.flag} is {dict(value)}; expected a name, or name: and options")
            value = Choice(value["name"], {key: item for key, item in value.items() if key != "name"})
        choice = value if isinstance(value, Choice) else Choice(value)
        component = self.find(choice.name, where)
        for name in choice.options:
            if name not in component.options:
                raise UsageError(self.takes_no(component, name, where))
        return Choice(choice.name, {
            name: option.convert(choice.options[name], f"{where}.{name}" if where else name)
            for name, option in component.options.items() if choice.options.get(name) is not None})

    def takes_no(self, component: Component, option: str, where: str = "") -> str:
        """Return the message for an option that a component has not."""
        users, hint = ", ".join(self.users(option)), nearest(option, component.options)
        also = f"; use {users}, or leave it out" if users else hint and f".{hint}"
        parameter = component.parameters.get(option)
        if parameter and component.name not in self.components():
            installed = is_installed(getattr(component.target, "__module__", ""))
            where_else = "in a function of your own that makes it" if installed else "there"
            also = (f", which is no option yet; declare it {where_else} as {option}: Annotated[TYPE, "
                    "Option(\"what it is\")]")
        place = "" if where in ("", self.kind) else f"{where}: "
        return f"{place}{self.kind} {component.name} takes no {option}{also}"

    def users(self, option: str) -> list[str]:
        """Return the names of the registered components that have an option."""
        return [name for name, component in self.components().items() if option in component.options]

    def make(self, value: Any, **context: Any) -> Any:
        """Return what a choice (see `choice`) makes: the class or function called with its options and the context.

        Of the context, it gets what it has a parameter for. Raises UsageError as `choice` does, and where an
        option that has no default is missing.
        """
        choice = self.choice(value)
        component = self.find(choice.name)
        for name, option in component.options.items():
            if option.default is REQUIRED and name not in choice.options and not component.ready:
                raise UsageError(f"{self.kind} {component.name} needs {name}; expected {option.expected()}")
        return self.adapt(component.make(choice.options, context), **context)


def import_object(name: str, flag: str, expected: str) -> Any:
    """Return what MODULE:NAME means; MODULE is looked for in the current folder first.

    flag, expected: for the UsageError where there is no such thing.
    """
    module, _, attribute = name.partition(":")
    if os.sep in module or module.endswith(".py"):
        raise UsageError(f"{flag} {name} names a file; expected MODULE:NAME, as in {Path(module).stem}:{attribute} "
                         "where the file lies in the current folder")
    sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{flag} {name}: {error}; expected MODULE:NAME, where MODULE.py lies in the current "
                         f"folder or is installed, and NAME in it is {expected}") from None
    except Exception as error:
        raise UsageError(f"{flag} {name}: {module} cannot be imported, {type(error).__name__}: {error}; "
                         "mend it there") from error
    finally:
        sys.path.remove(os.getcwd())
