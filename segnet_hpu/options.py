"""What a user may set, and how a text, a YAML value or a Python value becomes it."""

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from segnet_hpu.errors import UsageError, nearest

REQUIRED: Any = object()
LARGEST = 2**31 - 1  # of whole numbers whose option sets no limit: what the libraries below can count to
Changes = Literal["nothing", "training", "scores"]


@dataclass(frozen=True)
class Option:
    """What is said of a value where it is declared: `smooth: Annotated[float, Option("...", minimum=0)] = 1.0`.

    minimum, maximum: bounds that belong to the values that are taken; above, below: bounds that do not.
    choices: the values that are taken. words: {word: value} of what may stand in place of a number, such as
    {"auto": 4}. parse: a function value -> value for types that are no plain scalar; it raises ValueError, and its
    docstring says what it expects. example: a value for the message that refuses another.
    alias: a second name, by which the value is known without its component: loss_smooth for loss.smooth.
    ignored: the value at which it may also be given, and says nothing, where no component that was picked has it.
    group: heading in --help, the GROUP of its class where it says none. variable: an environment variable that
    sets it as SEGNET_<NAME> does. changes: of a setting of training, what another value changes in a run that goes
    on: nothing that is computed; the training; or also what its scores mean, so that they cannot be compared.
    at_once: called with the value before any other setting of a command is read, and with it a user's own modules.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: Sequence[Any] | None = None
    words: Mapping[str, Any] = field(default_factory=dict)
    parse: Callable[[Any], Any] | None = None
    example: str | None = None
    alias: str | None = None
    ignored: Any = None
    group: str | None = None
    variable: str | None = None
    changes: Changes | None = None
    at_once: Callable[[Any], None] | None = None

    def admits(self, number: float) -> bool:
        """Return whether a number lies within the bounds."""
        return ((self.minimum is None or number >= self.minimum) and (self.maximum is None or number <= self.maximum)
                and (self.above is None or number > self.above) and (self.below is None or number < self.below))

    def bounds(self) -> str:
        """Return the bounds in words, such as "of at least 0 and below 1"; "" without any."""
        if self.above is not None and self.below is not None:
            return f"between {self.above} and {self.below}"
        bounds = (("of at least", self.minimum), ("above", self.above), ("at most", self.maximum),
                  ("below", self.below))
        text = " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
        return text.replace("at most", "of at most", 1) if text.startswith("at most") else text


class Parameter(NamedTuple):
    """An option with its name, type and default (REQUIRED where there is none)."""

    name: str
    type: Any
    default: Any
    option: Option

    @property
    def optional(self) -> bool:
        """Whether None is among the values."""
        return type(None) in typing.get_args(self.type)

    @property
    def scalar(self) -> type:
        """The first type without the None of `T | None`."""
        if isinstance(self.type, types.UnionType) or typing.get_origin(self.type) is typing.Union:
            return next(t for t in typing.get_args(self.type) if t is not type(None))
        return self.type

    def convert(self, value: Any, where: str) -> Any:
        """Return `value` as the parameter's type; raise UsageError naming `where` if it is not one."""
        option = self.option
        if hasattr(value, "tolist"):  # NumPy's arrays and numbers
            value = value.tolist()
        if self.optional and (value is None or (isinstance(value, str) and value.lower() == "none")):
            return None
        if value is None:
            raise UsageError(f"{where} is empty; expected {self.expected()}")
        if isinstance(value, str) and value in option.words:
            return option.words[value]
        try:
            converted = (option.parse or _SCALARS.get(self.scalar, lambda value: value))(value)
        except (ValueError, TypeError, OverflowError) as error:
            detail = f" ({error})" if option.parse else ""
            raise UsageError(f"{where} is {value!r}; expected {self.expected()}{detail}") from None
        if option.choices and converted not in option.choices:
            hint = nearest(converted, option.choices)
            raise UsageError(f"{where} is {converted!r}; expected {self.expected()}.{hint}")
        if isinstance(converted, int | float) and not option.admits(converted):
            raise UsageError(f"{where} is {converted}; expected {self.expected()}")
        if isinstance(converted, int) and option.maximum is None and abs(converted) > LARGEST:
            raise UsageError(f"{where} is {converted}; expected {self.expected()}, and no more than {LARGEST}")
        return converted

    def expected(self) -> str:
        """Return what the value may be, in words."""
        option = self.option
        if option.choices:
            return "one of " + ", ".join(map(str, option.choices))
        text = _WORDS.get(self.scalar, "a value")
        if option.parse:
            text = option.parse.__doc__ or text
        text = " ".join(filter(None, (text, option.bounds())))
        return ", or ".join([text, *option.words]) + (f", such as {option.example}" if option.example else "")


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "1": True, "on": True,
             "false": False, "no": False, "0": False, "off": False}
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _to_int(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _to_float(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _to_str(value: Any) -> str:
    if isinstance(value, dict | list):
        raise ValueError
    return str(value)


_SCALARS: dict[Any, Callable[[Any], Any]] = {bool: _to_bool, int: _to_int, float: _to_float, str: _to_str}
_WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def as_text(value: Any) -> str:
    """Return a value as a flag takes it."""
    if isinstance(value, list | tuple):
        return ",".join(map(as_text, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
