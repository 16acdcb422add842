"""Which pictures of a folder are images, and which their labels."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

from segnet_hpu.data.datasets.patterns import fill
from segnet_hpu.data.inspection.contents import look_like_labels
from segnet_hpu.data.inspection.listing import Series
from segnet_hpu.data.inspection.name_patterns import Names, name_patterns, regex_of
from segnet_hpu.data.inspection.roles import labelled, second_choice, split_of

FEW, BUCKET = 30, 60  # series of which all are compared; series of one place that are compared


class Match(NamedTuple):
    """A series of images and one of labels. stems: of the pairs, image first. doubt: least for the best match."""

    images: Series
    labels: Series
    names: Names
    stems: list[tuple[str, str]]
    doubt: tuple[bool, ...]


def find_matches(root: str, series: list[Series]) -> list[Match]:
    """Return all matches among the series of pictures below a folder."""
    matches = (_match(root, images, labels, names) for images, labels in _neighbours(series)
               for names in name_patterns(images.files, labels.files))
    return [match for match in matches if match]


def _match(root: str, images: Series, labels: Series, names: Names) -> Match | None:
    """The match, or None where neither words nor contents say that the second are labels of the first."""
    image_words = _own_words(images, labels, names.images)
    label_words = _own_words(labels, images, names.labels)
    told = labelled(image_words, label_words)
    parts = {split_of(images.folder), split_of(labels.folder)} - {None}
    if told < 0 or len(parts) > 1:
        return None
    stems = stems_of_pairs(images, labels, names)
    flat_labels = look_like_labels([labels.path(root, label) for _, label in stems])
    flat_images = look_like_labels([images.path(root, stem) for stem, _ in stems])
    if not told and (flat_images or not flat_labels):
        return None
    aside = second_choice(label_words) or second_choice(image_words)
    return Match(images, labels, names, stems, (aside, not flat_labels, flat_images, not told))


def stems_of_pairs(images: Series, labels: Series, names: Names) -> list[tuple[str, str]]:
    """Return the stems of image and label of each pair that the patterns find."""
    stems = [(stem, fill(names.labels, found.groups())) for stem in sorted(images.files)
             if (found := regex_of(names.images).fullmatch(stem))]
    return [(stem, label) for stem, label in stems if label in labels.files]


def _own_words(series: Series, other: Series, pattern: str) -> str:
    """What the names of a series have that those of another have not."""
    suffixes = series.suffixes if series.folder == other.folder else ()
    return "/".join((*(name for name in series.folder if name not in other.folder), pattern, *suffixes))


def _neighbours(series: list[Series]) -> Iterator[tuple[Series, Series]]:
    """Yield series that may belong together: each with itself, and those whose folders differ in one name."""
    yield from ((one, one) for one in series)
    if len(series) <= FEW:
        yield from permutations(series, 2)
        return
    buckets: dict[tuple[str, ...], list[Series]] = defaultdict(list)
    for one in series:
        for place in range(len(one.folder)):
            buckets[one.folder[:place] + one.folder[place + 1:]].append(one)
        buckets[one.folder].append(one)
    seen: set[tuple[int, int]] = set()
    for bucket in buckets.values():
        for one, other in permutations(bucket, 2) if len(bucket) <= BUCKET else ():
            if (id(one), id(other)) not in seen:
                seen.add((id(one), id(other)))
                yield one, other
