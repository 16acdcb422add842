"""What random changes a training sample may undergo: ranges, probabilities, named presets."""

import dataclasses
import functools
import math
from typing import Annotated, Any

from segnet_hpu.components import Choice, Option, Registry
from segnet_hpu.errors import UsageError, nearest

Pair = tuple[float, float]


def one_number(value: Any) -> float:
    """one number"""
    return _numbers(value, 1)[0]


def two_numbers(value: Any) -> Pair:
    """two numbers such as 0.5:2"""
    first, second = _numbers(value, 2)
    return first, second


def _numbers(value: Any, count: int) -> tuple[float, ...]:
    parts = value.replace(",", ":").split(":") if isinstance(value, str) else value
    numbers = tuple(float(part) for part in (parts if isinstance(parts, list | tuple) else [parts]))
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{count} finite")
    return numbers


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Ranges and probabilities of random changes. The defaults change nothing.

    flip, vertical_flip: probability, 0..1.
    scale: (lowest, highest) zoom, log-uniform. Above 1 a random part of the image is cut out,
        below 1 the image shrinks to a random place and what is around it is ignored.
    shift: largest shift of either side as a fraction of it. rotate: largest angle, degrees.
    brightness: largest change as a fraction of 255. contrast, saturation: largest change of
        the factor 1. luma: the same for Y of YUV, with U and V kept. hue: largest turn of the colour
        circle, degrees.
    blur: (probability, largest sigma in pixels). noise: (probability, largest sigma in grey levels).
    clahe: probability of local histogram equalisation (on L of LAB, clip limit 1.0, 8x8 tiles).
    Raises UsageError for values out of range.
    """

    flip: Annotated[float, Option("probability of a mirror image", parse=one_number)] = 0.0
    vertical_flip: Annotated[float, Option("probability of an image upside down", parse=one_number)] = 0.0
    scale: Annotated[Pair, Option("lowest and highest zoom", parse=two_numbers)] = (1.0, 1.0)
    shift: Annotated[float, Option("largest shift, a fraction of the side", parse=one_number)] = 0.0
    rotate: Annotated[float, Option("largest angle, degrees", parse=one_number)] = 0.0
    brightness: Annotated[float, Option("largest change, a fraction of 255", parse=one_number)] = 0.0
    contrast: Annotated[float, Option("largest change of the factor 1", parse=one_number)] = 0.0
    luma: Annotated[float, Option("the same of Y of YUV", parse=one_number)] = 0.0
    hue: Annotated[float, Option("largest turn of the colour circle, degrees", parse=one_number)] = 0.0
    saturation: Annotated[float, Option("largest change of the factor 1", parse=one_number)] = 0.0
    blur: Annotated[Pair, Option("probability, and largest sigma in pixels", parse=two_numbers)] = (0.0, 0.0)
    noise: Annotated[Pair, Option("probability, and largest sigma in grey levels", parse=two_numbers)] = (0.0, 0.0)
    clahe: Annotated[float, Option("probability of local histogram equalisation", parse=one_number)] = 0.0

    def __post_init__(self) -> None:
        unit = {name: getattr(self, name) for name in
                ("flip", "vertical_flip", "shift", "brightness", "contrast", "luma", "saturation", "clahe")}
        unit |= {"blur probability": self.blur[0], "noise probability": self.noise[0]}
        for name, value in unit.items():
            if not 0 <= value <= 1:
                raise UsageError(f"augmentation {name} is {value}; expected a number from 0 to 1")
        for name in ("rotate", "hue"):
            if not 0 <= getattr(self, name) <= 180:
                raise UsageError(f"augmentation {name} is {getattr(self, name)}; expected 0 to 180 degrees")
        if not 0 < self.scale[0] <= self.scale[1]:
            raise UsageError(f"augmentation scale is {self.scale}; expected 0 < lowest <= highest")
        if self.blur[1] < 0 or self.noise[1] < 0:
            raise UsageError("augmentation blur and noise need a largest sigma of at least 0")

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
            known = [field.name for field in dataclasses.fields(Augmentation)]
            for field in pairs:
                if field not in known:
                    raise UsageError(f"augmentation {value!r}: unknown field {field!r}.{nearest(field, known)}")
            value = Choice(name, pairs)
        return super().choice(value, where)


augmentations = _Augmentations("augmentation", flag="--augmentation_name", functions_are_ready=True,
                               expected="a function (image, mask) -> (image, mask), uint8 RGB (H, W, 3) and (H, W)")
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
    _changed = (name for name, value in vars(_preset).items() if value != getattr(Augmentation, name))
    augmentations.register(_name, help=f"changes {', '.join(_changed) or 'nothing'}")(
        functools.partial(Augmentation, **vars(_preset)))
