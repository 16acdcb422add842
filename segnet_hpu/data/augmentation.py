"""What random changes a training sample may undergo: ranges, probabilities, named presets."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Annotated, Any, Protocol

from segnet_hpu.components import Choice, Component, Registry
from segnet_hpu.config import is_default
from segnet_hpu.data.transforms import geometric, photometric
from segnet_hpu.errors import UsageError, nearest, users_code


def _in_order(registry: Registry) -> list[Component]:
    return sorted(registry.components().values(), key=lambda transform: transform.traits["order"])


GEOMETRIC, PHOTOMETRIC = _in_order(geometric), _in_order(photometric)
OPTIONS = {name: option for transform in (*GEOMETRIC, *PHOTOMETRIC) for name, option in transform.options.items()}
_Options: Any = dataclasses.make_dataclass("_Options", frozen=True, fields=[
    (name, Annotated[option.type, option.option], option.default) for name, option in OPTIONS.items()])


@dataclasses.dataclass(frozen=True)
class Augmentation(_Options):
    """What the random transforms do: their options, by name; data/transforms/ and docs/reference.md list them.

    The defaults change nothing. Raises UsageError for values out of range.

    >>> Augmentation(flip=0.5, rotate=10).scale
    (1.0, 1.0)
    """

    def __post_init__(self) -> None:
        for name, option in OPTIONS.items():
            object.__setattr__(self, name, option.convert(getattr(self, name), f"augmentation {name}"))

    def options(self, transform: Component) -> dict[str, Any]:
        """Return the options of one transform."""
        return {name: getattr(self, name) for name in transform.options}

    @functools.cached_property
    def photometric(self) -> list[tuple[Component, dict[str, Any]]]:
        """The photometric transforms whose options are not all at their defaults, with these, in order."""
        return [(transform, self.options(transform)) for transform in PHOTOMETRIC
                if any(getattr(self, name) != option.default for name, option in transform.options.items())]

    @classmethod
    def preset(cls, name: str) -> "Augmentation":
        """Return the preset of that name (see PRESETS); raises UsageError for an unknown one."""
        return cls.parse(name)

    @classmethod
    def parse(cls, text: str) -> "Augmentation":
        """Return the augmentation that "PRESET" or "PRESET,field=value,..." means.

        Two numbers of one field are joined by a colon: "standard,rotate=5,scale=0.8:1.2".
        Raises UsageError for unknown names and for what is no number.

        >>> Augmentation.parse("flip,scale=0.8:1.2").scale
        (0.8, 1.2)
        """
        made = augmentations.make(text)
        if not isinstance(made, cls):
            raise UsageError(f"augmentation {text!r} is a function; expected one of {', '.join(PRESETS)}")
        return made


class _Augmentations(Registry):
    """The presets, also with changes as one text, and functions of the user's own."""

    def choice(self, value: Any, where: str = "") -> Choice:
        """Return the Choice of what `Registry.choice` takes, or of "PRESET,field=value,..."."""
        if isinstance(value, str) and "=" in value:
            name, *changes = (part.strip() for part in value.split(","))
            pairs = {field.strip(): text.strip() for field, _, text in (change.partition("=") for change in changes)}
            for field in pairs:
                if field not in OPTIONS:
                    raise UsageError(f"augmentation {value!r}: unknown field {field!r}.{nearest(field, OPTIONS)}")
            value = Choice(name, pairs)
        return super().choice(value, where)

    def make(self, value: Any, **context: Any) -> Any:
        """Return what `Registry.make` does; what fails in code of the user's own is a UsageError."""
        with users_code(f"augmentation {self.choice(value)}", self.expected):
            return super().make(value, **context)


augmentations = _Augmentations("augmentation", flag="--augmentation_name", functions_are_ready=True,
                               expected="a function (image, mask) -> (image, mask), uint8 RGB (H, W, 3) and (H, W); "
                                        "it may take rng, the sample's own numpy Generator, too")
_GEOMETRY: dict[str, Any] = dict(flip=0.5, scale=(0.8, 1.25), shift=0.1, rotate=15.0)
_COLOUR: dict[str, Any] = dict(brightness=0.15, contrast=0.3, hue=10.0, saturation=0.3, blur=(0.2, 1.5),
                               noise=(0.2, 10.0))

# The aug_ names are keras_segmentation's; ours follow what those change and roughly how far.
PRESETS = {
    "none": Augmentation(),
    "flip": Augmentation(flip=0.5),
    "standard": Augmentation(flip=0.5, scale=(0.75, 1.5), brightness=0.15, contrast=0.2, saturation=0.2),
    "strong": Augmentation(flip=0.5, scale=(0.5, 2.0), shift=0.1, rotate=10.0, brightness=0.25, contrast=0.4,
                           hue=15.0, saturation=0.4, blur=(0.3, 2.0), noise=(0.3, 15.0), clahe=0.1),
    "aug_all": Augmentation(**_GEOMETRY, **_COLOUR),
    "aug_all2": Augmentation(**_GEOMETRY | dict(vertical_flip=0.2, rotate=25.0), **_COLOUR | dict(clahe=0.2)),
    "aug_geometric": Augmentation(**_GEOMETRY),
    "aug_non_geometric": Augmentation(**_COLOUR),
    # What helped FCN-8s on KITTI Road: the image or its mirror, Y times 0.7 to 1.3.
    "kitti": Augmentation(flip=0.5, luma=0.3),
}
for _name, _preset in PRESETS.items():
    _changed = {name: getattr(_preset, name) for name, option in OPTIONS.items()
                if getattr(_preset, name) != option.default}
    augmentations.register(_name, help=f"changes {', '.join(_changed) or 'nothing'}")(
        functools.partial(Augmentation, **_changed))


def with_function(value: str | Choice) -> tuple[Augmentation, Callable[..., Any] | None]:
    """Return what TrainTransform takes as `augmentation` and `custom`: a preset, or a function of the user's own.

    Raises UsageError for an unknown name and for one that cannot be imported.
    """
    made = augmentations.make(value)
    return (made, None) if isinstance(made, Augmentation) else (Augmentation(), made)


class AugmentationSettings(Protocol):
    """The settings of a command that may augment."""

    @property
    def do_augment(self) -> bool: ...

    @property
    def augmentation_name(self) -> str | Choice: ...


def refuse_unused_augmentation(settings: AugmentationSettings) -> None:
    """Raise UsageError where settings.augmentation_name says how, but settings.do_augment does not say that."""
    if settings.do_augment or is_default(settings, "augmentation_name"):
        return
    chosen = augmentations.choice(settings.augmentation_name)
    given, rest = f"--augmentation_name {chosen}", "the name"
    if Choice(chosen.name) == augmentations.choice(type(settings).augmentation_name):
        given, rest = (", ".join(f"--augmentation_name.{name}" for name in chosen.options), "it")
    raise UsageError(f"{given} changes nothing without --do_augment; give that too, or leave {rest} out")
