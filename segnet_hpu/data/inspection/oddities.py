"""What is odd with a data set, in words."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from segnet_hpu.data.file_pairs import IMAGE_FORMATS, Pair
from segnet_hpu.data.inspection.label_survey import LabelSurvey
from segnet_hpu.data.inspection.listing import Listing
from segnet_hpu.data.inspection.split_drafts import SplitDraft

LISTED = 4
# What else pictures and labels come as.
UNREAD = (".gif", ".jp2", ".jxl", ".avif", ".heic", ".exr", ".dcm", ".nii", ".npy", ".npz", ".mat", ".json", ".xml",
          ".h5")


def label_oddities(survey: LabelSurvey) -> list[str]:
    """Return what is odd with the label files themselves: damage, kinds that are mixed."""
    lines = [f"{error.file} {error.what}" for error in survey.bad[:LISTED]]
    if len(survey.bad) > LISTED:
        lines.append(f"{len(survey.bad) - LISTED} more labels cannot be read")
    if len(survey.kinds) > 1:
        kinds = "; ".join(f"{len(paths)} {kind}, such as {paths[0]}" for kind, paths in survey.kinds.items())
        lines.append(f"labels of several kinds: {kinds}")
    return lines


def unpaired_pictures(listing: Listing, drafts: Iterable[SplitDraft]) -> list[str]:
    """Return which pictures belong to no pair, a line a folder, and which files are no pictures."""
    paired = Counter(series.folder for draft in drafts for match in draft.matches
                     for series in (match.images, match.labels) for _ in match.stems)
    pictures = Counter({folder: 0 for folder in paired})
    for series in listing.series:
        pictures[series.folder] += len(series)
    left = [(folder, count - paired[folder], count) for folder, count in sorted(pictures.items())
            if count > paired[folder]]
    lines = [f"{count} of {whole} pictures in {'/'.join(folder) or 'the folder itself'} belong to no pair"
             for folder, count, whole in left[:LISTED]]
    if len(left) > LISTED:
        lines.append(f"{sum(count for _, count, _ in left[LISTED:])} pictures of {len(left) - LISTED} more folders "
                     "belong to no pair")
    return lines


def other_files(listing: Listing) -> Iterator[str]:
    """Yield which files are of no format that is read, though they may be pictures or annotations."""
    found = ", ".join(f"{count} {suffix}" for suffix, count in listing.others.most_common()
                      if suffix in UNREAD)
    if found:
        yield f"files that are not read: {found}; only {' '.join(IMAGE_FORMATS)} are"


def missing_labels(split: str, missing: Collection[Pair]) -> Iterator[str]:
    """Yield which files of a split lack their partner."""
    if missing:
        first = next(iter(missing))
        there, absent = (first.image, first.label) if os.path.exists(first.image) else ("a list", first.image)
        yield (f"{split}: {len(missing)} without partner, such as {there}, which has no {absent}: training refuses "
               "them until these are added or those taken away, or a list: names the others")
