"""Lists that divide one folder into splits: text files of the images' names, one a line."""

import os
from collections.abc import Collection

from segnet_hpu.data.inspection.listing import Listing
from segnet_hpu.data.inspection.roles import split_of
from segnet_hpu.data.inspection.split_drafts import Files, SplitDraft

MOST, SHARE = 4 << 20, 0.9  # bytes of a list; names of it that are of images


def list_splits(listing: Listing, draft: SplitDraft, oddities: list[str]) -> dict[str, Files]:
    """Return {split: its files} of the lists that name images of the draft, {} where there is none.

    A list must have what the one star of the draft's pattern stands for. Others are told of in `oddities`.
    """
    if draft.images.count("*") != 1 or "*" not in os.path.basename(draft.images) or len(draft.suffixes) > 1:
        return {}
    texts = set(draft.texts())
    splits: dict[str, Files] = {}
    for path in listing.lists:
        names = _first_words(os.path.join(listing.root, path))
        split = split_of([os.path.basename(path)])
        if _share(names, texts) >= SHARE and names:
            splits.setdefault(split or os.path.splitext(os.path.basename(path))[0], draft.files(path))
        elif names and _share({os.path.splitext(os.path.basename(name))[0] for name in names}, texts) >= SHARE:
            oddities.append(f"{path} lists paths; a list: must have what the star of {draft.images} stands for, one "
                            f"a line, such as {min(texts)}")
    return splits


def _first_words(path: str) -> set[str]:
    if os.path.getsize(path) > MOST:
        return set()
    with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
        return {words[0] for line in file if (words := line.split())}


def _share(names: Collection[str], known: set[str]) -> float:
    return len(known.intersection(names)) / max(1, len(names))
