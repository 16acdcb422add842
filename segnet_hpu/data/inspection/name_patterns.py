"""How the names of two series of files differ where they belong together: a pattern with stars for each."""

import os
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from segnet_hpu.data.datasets.patterns import fill
from segnet_hpu.data.inspection.roles import labelled

WORD, NUMBER = re.compile(r"[^\W\d_]"), re.compile(r"\d{3}")
SAMPLES, NEIGHBOURS, SLACK, CANDIDATES = 3, 3, 2, 60


class Names(NamedTuple):
    """Patterns of the stems of images and of labels; pairs: how many they find."""

    images: str
    labels: str
    pairs: int


def name_patterns(images: Collection[str], labels: Collection[str]) -> list[Names]:
    """Return the patterns by which stems of `images` lead to stems of `labels`, those that find most pairs first.

    Each differs in one place: `*` and `*_mask`, `img_*` and `gt_*`, `*_*` and `*_road_*`. Equal stems are no
    candidates where both are the same collection. What finds less than half of what is possible is left out.
    """
    same = images is labels
    enough = min(len(images), len(labels)) / (4 if same else 2)
    if not same and (equal := len(set(images) & set(labels))) >= enough:
        return [Names("*", "*", equal)]
    ordered = sorted(images)
    # Several in a row: in one folder, an image and its labels follow each other.
    some = [stem for at in range(0, len(ordered), max(NEIGHBOURS, len(ordered) // SAMPLES))
            for stem in ordered[at:at + NEIGHBOURS]][:SAMPLES * NEIGHBOURS]
    candidates = sorted({pattern for stem in some for pattern in _differences(stem, labels)})[:CANDIDATES]
    found = [Names(*candidate, _count(*candidate, images, labels)) for candidate in candidates]
    return sorted((names for names in found if names.pairs >= enough and (names.pairs > 1 or _tells(names))),
                  key=lambda names: (-names.pairs, names.labels, names.images))


def regex_of(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern, a group for each star."""
    return re.compile("(.*)".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def _count(image_pattern: str, label_pattern: str, images: Collection[str], labels: Collection[str]) -> int:
    regex, there = regex_of(image_pattern), labels if isinstance(labels, dict | set) else set(labels)
    matches = filter(None, map(regex.fullmatch, images))
    return sum(fill(label_pattern, match.groups()) in there for match in matches)


def _tells(names: Names) -> bool:
    """Whether words say which are the labels, where one pair alone could be chance."""
    return labelled(names.images, names.labels) > 0


def _differences(stem: str, others: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield (pattern of the stem, pattern of another) for those of the others that share most with the stem."""
    shared = {other: _shared(stem, other) for other in others if other != stem and "*" not in stem + other}
    most = max((sum(ends) for ends in shared.values()), default=0)
    for other, (start, end) in shared.items():
        if start + end >= most - SLACK:
            start, end = _at_words(stem, other, start, end)
            ours, theirs = stem[start:len(stem) - end], other[start:len(other) - end]
            inside = start > 0 and end > 0
            if (ours or not inside) and WORD.search(theirs) and not NUMBER.search(f"{ours} {theirs}"):
                before, after = "*" * (start > 0), "*" * (end > 0)
                yield before + ours + after, before + theirs + after
                if inside:  # a start that all names share
                    yield stem[:start] + ours + after, stem[:start] + theirs + after


def _at_words(one: str, other: str, start: int, end: int) -> tuple[int, int]:
    """Lengths of the shared start and end that cut no word of letters; separators go with what differs."""
    def cut(at: int) -> bool:
        return any(0 < at < len(name) and name[at - 1].isalpha() and name[at].isalpha() for name in (one, other))

    def cut_end(at: int) -> bool:
        return any(0 < at < len(name) and name[-at - 1].isalpha() and name[-at].isalpha() for name in (one, other))

    while start and cut(start):
        start -= 1
    while end and cut_end(end):
        end -= 1
    if start and not one[start - 1].isalnum():
        start -= 1
    if start and end and not one[-end].isalnum():
        end -= 1
    return start, end


def _shared(one: str, other: str) -> tuple[int, int]:
    """Lengths of the start and of the end that two names share, the start first."""
    start = len(os.path.commonprefix([one, other]))
    end = len(os.path.commonprefix([one[start:][::-1], other[start:][::-1]]))
    return start, end
