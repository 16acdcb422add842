"""From a folder to the description by which it is a data set."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from segnet_hpu.data.datasets.description import dataset_from
from segnet_hpu.data.datasets.description_writing import description_text
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.inspection.image_survey import survey_images
from segnet_hpu.data.inspection.known_layouts import known_layouts
from segnet_hpu.data.inspection.label_coding import Coding, coding_of
from segnet_hpu.data.inspection.label_survey import survey_labels
from segnet_hpu.data.inspection.listing import Listing, list_folder
from segnet_hpu.data.inspection.oddities import label_oddities, missing_labels, other_files, unpaired_pictures
from segnet_hpu.data.inspection.pairing import find_matches
from segnet_hpu.data.inspection.roles import is_split
from segnet_hpu.data.inspection.split_drafts import Files, SplitDraft, by_split, drafts_of
from segnet_hpu.data.inspection.split_lists import list_splits
from segnet_hpu.data.left_out import linked_folders
from segnet_hpu.data.shared_images import shared_images
from segnet_hpu.errors import UsageError


@dataclass(frozen=True)
class Inspection:
    """A description, and what was found beside it. pairs: {split: number}. oddities, hints: a line each."""

    description: dict[str, Any]
    pairs: dict[str, int]
    coding: Coding
    oddities: list[str]
    hints: list[str]

    def text(self) -> str:
        """Return the description as YAML; comments tell the rest."""
        counts = ", ".join(f"{split} {count}" for split, count in self.pairs.items())
        lines = [f"pairs: {counts}", *self.hints, "what the labels hold:"]
        lines += [f"  {entry.name}: {entry.spec}, {entry.share:.2%} of the pixels" for entry in self.coding.entries]
        lines += [f"odd: {line}" for line in self.oddities]
        comments = "".join(f"# {line}\n" for line in lines).encode("utf-8", "backslashreplace").decode()
        return comments + description_text(self.description)


def inspect_folder(folder: str, root: str, class_names: Sequence[str] | None = None) -> Inspection:
    """Return what a folder holds, and its description.

    root: the folder as the description is to name it. class_names: see `coding_of`. All labels are read, of the
    images the headers. Raises UsageError where there are no pairs or the labels cannot be told.
    """
    listing = list_folder(folder)
    drafts = drafts_of(find_matches(folder, listing.series))
    _refuse_several(folder, drafts)
    splits, left = by_split(drafts)
    if not splits:
        raise UsageError(f"{folder}: {_pictures(listing)}, but none that belong together; expected images, and "
                         "labels of the same names in another folder, or that differ by a word such as _mask")
    oddities = [f"{draft.pairs} more pairs are left out, {draft.images} with {draft.labels}: inspect them alone"
                for draft in left if not any(draft.matches[0].doubt)]
    files = _split_files(listing, splits, oddities)
    found = _find_pairs(folder, files, oddities)
    labelled = list(dict.fromkeys(pair for pairs in found.values() for pair in pairs))
    labels = survey_labels([pair.label for pair in labelled])
    coding = coding_of(labels, class_names)
    images = survey_images(labelled, labels.sizes)
    oddities += [*coding.remarks, *label_oddities(labels), *images.oddities(),
                 *unpaired_pictures(listing, splits.values())]
    description = {"name": os.path.basename(os.path.abspath(folder)), "root": root, **coding.lines,
                   **images.coding().noted(), "splits": files}
    oddities += [*other_files(listing), *filter(None, [linked_folders(folder)])]
    if "train" not in found:
        oddities.append("there is no split train, which training needs: rename one, or divide one by dataset split")
    hints = [images.line(), *known_layouts(folder)]
    return Inspection(description, {split: len(pairs) for split, pairs in found.items()}, coding, oddities, hints)


def _refuse_several(folder: str, drafts: Sequence[SplitDraft]) -> None:
    """Raise UsageError where the pairs lie in folders that have images and labels each."""
    tops = {draft.top for draft in drafts} - {None}
    firsts = {draft.images.split("/")[0] for draft in drafts}
    if len(tops) > 1 and not any(map(is_split, firsts)):  # beside train and val they are left out, and told
        names = ", ".join(sorted(map(str, tops)))
        raise UsageError(f"{folder} holds several data sets, in {names}; inspect one of them")


def _pictures(listing: Listing) -> str:
    return f"{sum(map(len, listing.series))} pictures in {len({one.folder for one in listing.series})} folders"


def _split_files(listing: Listing, splits: dict[str, SplitDraft], oddities: list[str]) -> dict[str, Files]:
    """The splits of the description: those of the lists where one folder holds all."""
    if list(splits) == ["train"]:
        listed = list_splits(listing, splits["train"], oddities)
        if listed:
            return listed
    return {name: draft.files(by_folders=draft.is_all_of(listing.series)) for name, draft in splits.items()}


def _find_pairs(folder: str, splits: dict[str, Files], oddities: list[str]) -> dict[str, list[Pair]]:
    """Return the pairs that a description finds in each of its splits.

    Images that lack a label, and those that are in train and elsewhere, are noted.
    """
    dataset = dataset_from("inspected.yaml", {"classes": ["one", "other"], "splits": splits})
    found = {}
    for split in dataset.splits:
        found[split], missing = dataset.match(folder, split)
        oddities += missing_labels(split, missing)
    for split, purpose in (("val", "validation"), ("test", "testing")):
        line = shared_images(found.get("train", ()), found.get(split, ()), purpose)
        oddities += [line] if line else []
    return found
