"""From matches of single folders to the splits of a description: folders, or patterns with stars for what differs."""

import difflib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.inspection.listing import Series
from segnet_hpu.data.inspection.name_patterns import regex_of
from segnet_hpu.data.inspection.pairing import Match
from segnet_hpu.data.inspection.roles import is_split, split_of

Files = dict[str, str | list[str]]  # of a split in a description
Part = str | int  # of a path: a name, or the number of a name that images and labels share


@dataclass
class SplitDraft:
    """Images and labels that one pattern each finds, without suffixes. split: train, val, ... where names say so."""

    images: str
    labels: str
    split: str | None
    matches: list[Match] = field(default_factory=list)

    @property
    def pairs(self) -> int:
        return sum(len(match.stems) for match in self.matches)

    @property
    def suffixes(self) -> list[tuple[str, str]]:
        """The suffixes of image and label of the pairs, in lower case, the most frequent ones first."""
        pairs = ((match.images.files[image], match.labels.files[label])
                 for match in self.matches for image, label in match.stems)
        found = Counter((_suffix(image), _suffix(label)) for image, label in pairs)
        return [suffixes for suffixes, _ in found.most_common()]

    @property
    def top(self) -> str | None:
        """The folder below the root in which both images and labels lie, if it is not that of a split."""
        images, labels = self.images.split("/")[0], self.labels.split("/")[0]
        return images if images == labels and "*" not in images and not split_of([images]) else None

    @property
    def in_folders(self) -> bool:
        """Whether two folders say the same: equal stems, and no file without partner."""
        match = self.matches[0]
        two_folders = match.images.folder != match.labels.folder and match.names[:2] == ("*", "*")
        return (len(self.matches) == 1 and two_folders
                and len(match.stems) == len(match.images) == len(match.labels))

    def texts(self) -> list[str]:
        """Return what the star of the images' names stands for, of all pairs."""
        found = [regex_of(match.names.images).fullmatch(stem) for match in self.matches for stem, _ in match.stems]
        return [match[1] for match in found if match]

    def paths(self, root: str) -> list[Pair]:
        """Return the pairs of files."""
        return [Pair(match.images.path(root, image), match.labels.path(root, label))
                for match in self.matches for image, label in match.stems]

    def is_all_of(self, series: Iterable[Series]) -> bool:
        """Whether its folders, and the subfolders that both have, hold none but its pairs among the series."""
        match = self.matches[0]
        others = [one.folder for one in series if one not in (match.images, match.labels)]
        below = [{other[len(one.folder):] for other in others if other[:len(one.folder)] == one.folder}
                 for one in (match.images, match.labels)]
        return not (below[0] & below[1] or () in below[0] | below[1])

    def files(self, listed: str | None = None, by_folders: bool = True) -> Files:
        """Return the split as a description has it.

        listed: a list of what the star stands for. by_folders: it may be two folders, where they say the same.
        """
        if by_folders and self.in_folders and not listed:
            return {"images": os.path.dirname(self.images), "labels": os.path.dirname(self.labels)}
        patterns = [(self.images + ours, self.labels + theirs) for ours, theirs in self.suffixes]
        images, labels = ([*texts] if len(texts) > 1 else texts[0] for texts in zip(*patterns, strict=True))
        return {"images": images, "labels": labels} | ({"list": listed} if listed else {})


def drafts_of(matches: Iterable[Match]) -> list[SplitDraft]:
    """Return the best of the matches as splits; no file stands in two of them."""
    alike: dict[tuple, list[Match]] = defaultdict(list)
    for match in matches:
        alike[_template(match)].append(match)
    drafts: list[SplitDraft] = []
    used: set[tuple[int, str]] = set()
    for group in sorted(alike.values(), key=lambda group: (group[0].doubt, -sum(len(m.stems) for m in group))):
        files = {(id(series), stem) for match in group for pair in match.stems
                 for series, stem in zip((match.images, match.labels), pair, strict=True)}
        if not files & used:
            used |= files
            drafts += _splits(group)
    return drafts


def _template(match: Match) -> tuple:
    """What matches of one pattern have in common."""
    return (*map(tuple, _parts(match)), match.names[:2], match.doubt)


def _parts(match: Match) -> tuple[list[Part], list[Part]]:
    """The folders of images and labels, with numbers for the names that they share in order."""
    ours, theirs = match.images.folder, match.labels.folder
    left: list[Part] = list(ours)
    right: list[Part] = list(theirs)
    number = 0
    for block in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        for i in range(block.size):
            left[block.a + i] = right[block.b + i] = number
            number += 1
    return left, right


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _splits(group: Sequence[Match]) -> list[SplitDraft]:
    """The splits of matches of one template: one a word such as train, in a name that they share."""
    left, right = _parts(group[0])
    shared = [[name for name, part in zip(match.images.folder, left, strict=True) if isinstance(part, int)]
              for match in group]
    places = list(zip(*shared, strict=True))
    stars = [len(set(names)) > 1 and not _are_splits(names) for names in places]
    by_names: dict[tuple[str, ...], SplitDraft] = {}
    for match, names in zip(group, shared, strict=True):
        fixed = tuple("*" if star else name for star, name in zip(stars, names, strict=True))
        if fixed not in by_names:
            images, labels = _pattern(left, fixed, match.names.images), _pattern(right, fixed, match.names.labels)
            by_names[fixed] = SplitDraft(images, labels, split_of([*map(os.path.dirname, (images, labels)), images]))
        by_names[fixed].matches.append(match)
    return list(by_names.values())


def _are_splits(names: Sequence[str]) -> bool:
    """Whether folders beside each other are parts of a data set, to which one of another name does not belong."""
    return any(is_split(name) for name in names) or all(split_of([name]) for name in names)


def _pattern(parts: Iterable[Part], shared: Sequence[str], name: str) -> str:
    """The path of the parts, with the shared names in their places."""
    return "/".join([*(shared[part] if isinstance(part, int) else part for part in parts), name])


def by_split(drafts: Iterable[SplitDraft]) -> tuple[dict[str, SplitDraft], list[SplitDraft]]:
    """Return {split: draft}, and the drafts that are left over; what has no name of its own trains."""
    splits: dict[str, SplitDraft] = {}
    left: list[SplitDraft] = []
    for draft in sorted(drafts, key=lambda draft: draft.split is None):
        name = draft.split or "train"
        if name in splits:
            left.append(draft)
        splits.setdefault(name, draft)
    order = ["train", "val", "test"]
    return {name: splits[name] for name in sorted(splits, key=lambda name: (order + [name]).index(name))}, left
