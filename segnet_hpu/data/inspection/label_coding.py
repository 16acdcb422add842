"""From what label files hold to the lines of a description that read them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from segnet_hpu.constants import MAX_CLASSES, VOID
from segnet_hpu.data.colours import Colour, generated_colour
from segnet_hpu.data.datasets.palettes import CLASS_NAMES, PALETTES
from segnet_hpu.data.inspection.label_survey import LabelSurvey, Occurrence
from segnet_hpu.errors import DataError, UsageError

BLENDED_AREA, BLENDED_SHARE, BLENDED_KINDS = 0.5, 0.1, 4  # in areas and of all pixels at most; least number
SOLID = 0.5  # share of the pixels of labels that are of solid values
SOLID_SHARE = 0.001  # of all pixels, of a value among blended ones that is not blended itself
BLACK, VOC_OUTLINE = (0, 0, 0), (224, 224, 192)


class Entry(NamedTuple):
    """What stands for one class in the label files.

    spec: a value, a range "first-last", a list of values, or [red, green, blue]. share: of all pixels.
    """

    spec: Any
    name: str
    share: float


class Coding(NamedTuple):
    """How labels are read. lines: of the description, `classes` among them; none more for training ids.

    entries: what the classes are in the files. remarks: what is odd, a line each.
    """

    lines: dict[str, Any]
    entries: list[Entry]
    remarks: list[str]

    @property
    def plain(self) -> bool:
        """Whether the labels hold training ids."""
        return not {"label_values", "label_colours"} & self.lines.keys()


def coding_of(survey: LabelSurvey, class_names: Sequence[str] | None = None, n_classes: int | None = None) -> Coding:
    """Return how the labels of a survey can be read.

    class_names: for the entries in their order, `void` among them for what is no class, the same name for several
    that are one class; made up if not set. n_classes: how many there are to be, if that is known. Raises UsageError
    where the files hold no labels, and for names that are too few or too many.
    """
    _refuse_pictures(survey)
    solid, blended = _solid(survey)
    remarks: list[str] = []
    expected = len(class_names) if class_names else n_classes
    entries = (_colours(survey, solid, remarks) if survey.coloured
               else _values(survey, solid, blended, remarks, expected))
    key = "label_colours" if survey.coloured else "label_values"
    if class_names:
        entries = _named(entries, class_names, key)
    classes = list(dict.fromkeys(entry.name for entry in entries if entry.name != "void"))
    lines: dict[str, Any] = {"classes": classes}
    if [entry.spec for entry in entries if entry.name != "void"] != list(range(len(classes))) or any(
            entry.name == "void" and entry.spec != VOID for entry in entries):
        lines[key] = _by_name(entries)
    if len(classes) == 1:  # the background is a class too
        classes.append("other" if classes != ["other"] else "rest")
        remarks.append(f"{classes[1]} stands for a second class, which training needs: the background is one too")
    if survey.palette and not survey.coloured:
        lines["palette"] = _palette(entries, survey.palette, classes)
    if blended and "-" not in str(entries[0].spec):
        lines["others"] = "void"
        share = 1 - sum(entry.share for entry in entries)
        remarks.append(f"{len(survey.entries) - len(solid)} further {survey.what} along edges, {share:.2%} of the "
                       "pixels, as smoothing and resizing make them: they are void")
    return Coding(lines, entries, remarks)


def refuse_blended(survey: LabelSurvey, place: str) -> None:
    """Raise DataError for labels at `place` that are read as ids and hold values that blending made."""
    solid, blended = _solid(survey)
    if blended and not survey.coloured and not _are_of_a_kind(survey):
        values = len(survey.entries)
        raise DataError(f"{place} holds {values} different values, {values - len(solid)} of them along edges or "
                        "scattered, as JPEG, smoothing and resizing make them: these are no class ids; make the "
                        "labels anew from their source, read them by a description, which segnet-hpu dataset "
                        "inspect writes, or give --n_classes where they are ids")


def _refuse_pictures(survey: LabelSurvey) -> None:
    if survey.bad and not survey.entries:
        more = f" (and {len(survey.bad) - 1} more labels cannot be read)" if len(survey.bad) > 1 else ""
        raise UsageError(f"{survey.bad[0]}{more}")
    solid, _ = _solid(survey)
    share = sum(entry.pixels for entry in solid.values()) / survey.pixels
    if share < SOLID or len(solid) > MAX_CLASSES:
        raise UsageError(f"{next(iter(survey.sizes))} and {len(survey.sizes) - 1} more hold {len(survey.entries)} "
                         f"different {survey.what}, {share:.0%} of their pixels in areas of one; expected labels "
                         f"of at most {MAX_CLASSES} classes, not photographs, instances or distances")


def _solid(survey: LabelSurvey) -> tuple[dict[int, Occurrence], bool]:
    """Return the entries that are drawn on purpose, in order, and whether there are others, blended along edges."""
    entries, whole = dict(sorted(survey.entries.items())), survey.pixels
    lone = {key for key, entry in entries.items()
            if entry.in_areas < BLENDED_AREA * entry.pixels and entry.pixels < BLENDED_SHARE * whole}
    in_areas = sum(entry.pixels for key, entry in entries.items() if key not in lone)
    if len(lone) < max(BLENDED_KINDS, len(entries) / 2) or (in_areas >= SOLID * whole and _are_of_a_kind(survey)):
        return entries, False
    least = SOLID_SHARE * whole
    return {key: entry for key, entry in entries.items() if key not in lone and entry.pixels >= least}, True


def _are_of_a_kind(survey: LabelSurvey) -> bool:
    """Whether the entries are ids without gaps or colours of one known palette, which blending does not make."""
    if survey.coloured:
        colours = set(map(_colour, survey.entries)) - {BLACK, VOC_OUTLINE}
        return any(colours <= set(palette) for palette in PALETTES.values())
    ids = survey.entries.keys() - {VOID}
    return bool(ids) and max(ids) <= VOID // 2 and ids | {0} == set(range(max(ids) + 1))


def _values(survey: LabelSurvey, solid: dict[int, Occurrence], blended: bool, remarks: list[str],
            n_classes: int | None) -> list[Entry]:
    values, whole = list(solid), survey.pixels

    def share(*some: int) -> float:
        return sum(solid[value].pixels for value in some) / whole

    if blended and len(values) == 2:
        low, high = values
        middle, highest = (low + high) // 2, VOID if high <= VOID else (1 << 16) - 1
        below = sum(entry.pixels for value, entry in survey.entries.items() if value <= middle) / whole
        return [Entry(f"0-{middle}", "background", below), Entry(f"{middle + 1}-{highest}", "foreground", 1 - below)]
    if values == [0, 1, VOID] and not any({1, VOID} <= some for some in survey.together):
        remarks.append("the foreground is 1 in some files and 255 in others")
        return [Entry(0, "background", share(0)), Entry([1, VOID], "foreground", share(1, VOID))]
    if len(values) == 2:
        low, high = values
        if low and high == VOID:
            remarks.append(f"{low} is taken for the background and {VOID} for the foreground; where {VOID} marks "
                           f"what is no class, it is void: {VOID}")
        return [Entry(low, "background", share(low)), Entry(high, "foreground", share(high))]
    ids = [value for value in values if value != VOID]
    if len(ids) < 2:
        remarks.append(f"no label holds more than one class: all are {', '.join(map(str, values))}")
    prefix = "class" if ids == list(range(len(ids))) else "value"
    if VOID in values and len(values) == n_classes and max(ids, default=0) >= n_classes:
        remarks.append(f"{VOID} is taken for one of the {n_classes} classes; where it marks what is no class, it is "
                       f"void: {VOID}")
        return [Entry(value, f"{prefix}_{value}", share(value)) for value in values]
    if VOID in values and prefix == "value":
        remarks.append(f"{VOID} is taken for void; where it is a class, give it a name as well")
    return [Entry(value, f"{prefix}_{value}", share(value)) for value in ids] + [
        Entry(VOID, "void", share(VOID)) for value in values if value == VOID]


def _colours(survey: LabelSurvey, solid: dict[int, Occurrence], remarks: list[str]) -> list[Entry]:
    colours = list(map(_colour, solid))
    names = _published_names(colours, remarks) or [f"class_{i}" for i in range(len(colours))]
    return [Entry(list(colour), name, entry.pixels / survey.pixels)
            for colour, name, entry in zip(colours, names, solid.values(), strict=True)]


def _colour(code: int) -> Colour:
    return code >> 16, code >> 8 & 255, code & 255


def _published_names(colours: list[Colour], remarks: list[str]) -> list[str] | None:
    """The names that a known data set gives to these colours, void for black and outlines that it does not have."""
    for name, palette in sorted(PALETTES.items(), key=lambda item: len(item[1])):
        known = dict(zip(palette, CLASS_NAMES[name], strict=True))
        matched = known.keys() & set(colours) - {BLACK}
        if set(colours) <= {*known, BLACK, VOC_OUTLINE} and len(matched) >= min(3, len(known.keys() - {BLACK})):
            remarks.append(f"the colours are those of {name}, and so are the names: edit them if the classes differ")
            return [known.get(colour, "void") for colour in colours]
    return None


def _named(entries: list[Entry], class_names: Sequence[str], key: str) -> list[Entry]:
    """The entries under the user's names; ids that do not occur have names too."""
    share = {entry.spec: entry.share for entry in entries if isinstance(entry.spec, int)}
    if len(class_names) > len(entries) == len(share) and share.keys() - {VOID} <= set(range(len(class_names))):
        return [Entry(i, name, share.get(i, 0.0)) for i, name in enumerate(class_names)] + [
            entry for entry in entries if entry.spec == VOID]
    own = [entry for entry in entries if entry.name != "void" or key == "label_colours"]
    void = [entry for entry in entries if entry not in own]
    if len(class_names) != len(own):
        raise UsageError(f"--class_names has {len(class_names)} names; expected {len(own)}, void for what is no "
                         f"class, for {', '.join(str(entry.spec) for entry in own)}")
    return [entry._replace(name=name) for entry, name in zip(own, class_names, strict=True)] + void


def _by_name(entries: list[Entry]) -> dict[str, Any]:
    """{class: what stands for it}, several entries of one name in a list."""
    by_name: dict[str, list[Any]] = {}
    for entry in entries:
        several = isinstance(entry.spec, list) and len(entry.spec) == 2  # two values, no colour
        by_name.setdefault(entry.name, []).extend(entry.spec if several else [entry.spec])
    return {name: specs[0] if len(specs) == 1 else specs for name, specs in by_name.items()}


def _palette(entries: list[Entry], palette: dict[int, Colour], classes: list[str]) -> list[list[int]]:
    """A colour for each class: that of its first index, of the labels' own palette."""
    first: dict[str, Colour] = {}
    for entry in entries:
        for index in entry.spec if isinstance(entry.spec, list) else [entry.spec]:
            if index in palette:
                first.setdefault(entry.name, palette[index])
    return [list(first.get(name) or generated_colour(i)) for i, name in enumerate(classes)]
