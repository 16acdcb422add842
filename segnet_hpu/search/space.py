"""The space of a search: which settings vary, and between what."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segnet_hpu.components import Choice
from segnet_hpu.config import read_yaml
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.fields import Key, aliases, keys
from segnet_hpu.training.settings import Settings

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FORM = "{low: 1e-4, high: 1e-2, log: true}, {low: 0, high: 8, step: 2} or {choices: [a, b]}"
# What says where a run goes and who takes part, and what is judged: scores would not compare.
FIXED_GROUPS = ("configuration", "workers", "output")
FIXED = ("n_classes", "validate", "val_images", "val_annotations", "val_steps_per_epoch", "ignore_label",
         "class_names", "palette", "dataset", "data_root", "val_split", "val_metrics", "monitor")


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included; with a step, low + k * step; log: even in the logarithm."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    def distribution(self) -> "BaseDistribution":
        """Return it as Optuna has it."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if isinstance(self.low, int) and isinstance(self.high, int) and not isinstance(self.step, float):
            return IntDistribution(self.low, self.high, log=self.log, step=self.step or 1)
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def __contains__(self, value: Any) -> bool:
        if value is None or not self.low <= value <= self.high:
            return False
        return self.step is None or abs((value - self.low) / self.step % 1 - 0.5) > 0.5 - 1e-9


@dataclass(frozen=True)
class Choices:
    """One of some values."""

    values: tuple[Any, ...]

    def distribution(self) -> "BaseDistribution":
        """Return it as Optuna has it."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def __contains__(self, value: Any) -> bool:
        return value in self.values


def read_space(path: str) -> dict[str, Range | Choices]:
    """Return {setting: Range or Choices} of a YAML file; options of components as loss.smooth or by flat names.

    Raises UsageError, naming the setting, for what train does not have, for a value that the setting does not
    take, and for settings that must be the same in all trials.
    """
    entries = read_yaml("--space", path)
    if not entries:
        raise UsageError(f"--space {path} names no setting; expected lines of 'setting: {FORM}'")
    known = keys(Settings)
    known = known | {alias: known[name] for alias, name in aliases(Settings).items()}
    space = {}
    for name, entry in entries.items():
        if name not in known:
            raise UsageError(f"--space {path}: unknown setting {name!r}.{nearest(name, known)} Expected a setting of "
                             "train")
        if known[name].name.partition(".")[0] in FIXED or known[name].parameter.option.group in FIXED_GROUPS:
            raise UsageError(f"--space {path}: {name} must be the same in all trials; give it in --config")
        space[name] = _dimension(known[name], entry, f"--space {path}: {name}")
    return space


def _dimension(key: Key, entry: Any, where: str) -> Range | Choices:
    if not isinstance(entry, dict) or ("choices" not in entry and not {"low", "high"} <= set(entry)):
        raise UsageError(f"{where} is {entry!r}; expected {FORM}")
    allowed = ("choices",) if "choices" in entry else ("low", "high", "log", "step")
    for part in entry:
        if part not in allowed:
            raise UsageError(f"{where} has {part!r}, expected only {', '.join(allowed)}.{nearest(part, allowed)}")
    return _choices(key, entry["choices"], where) if "choices" in entry else _range(key, entry, where)


def _choices(key: Key, values: Any, where: str) -> Choices:
    if not isinstance(values, list) or not values:
        raise UsageError(f"{where}: choices is {values!r}; expected a list such as [a, b]")
    converted = [(value, key.convert(value, f"{where}: choice")) for value in values]
    # Optuna takes no lists and no components; as text, a setting reads them all the same.
    values = tuple(",".join(map(str, value)) if isinstance(value, list) else
                   str(text) if isinstance(value, Choice) else value for text, value in converted)
    if len(set(values)) < len(values):
        raise UsageError(f"{where}: choices {list(values)} name one value twice; expected each once")
    return Choices(values)


def _range(key: Key, entry: dict[str, Any], where: str) -> Range:
    low, high = (key.convert(entry[end], f"{where}: {end}") for end in ("low", "high"))
    if any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in (low, high)):
        raise UsageError(f"{where} is no number; expected {{choices: [...]}}")
    if low >= high:
        raise UsageError(f"{where}: low is {low} and high is {high}; expected low below high")
    log, step = entry.get("log", False), entry.get("step")
    if not isinstance(log, bool):
        raise UsageError(f"{where}: log is {log!r}; expected true or false")
    if log and (low <= 0 or step is not None):
        raise UsageError(f"{where}: log needs low above 0 and goes with no step; change low, or leave one out")
    if step is None:
        return Range(low, high, log)
    try:
        number = type(low)(step)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if isinstance(step, bool) or number != float(number) or not 0 < number <= high - low or number != float(step):
        kind = "a whole number" if isinstance(low, int) else "a number"
        raise UsageError(f"{where}: step is {step!r}; expected {kind} above 0 and at most {high - low:g}")
    return Range(low, high, log, number)
