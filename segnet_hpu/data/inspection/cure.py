"""The lines of a description that read labels as they are, for the message that refuses them."""

import os
from collections.abc import Mapping, Sequence

from segnet_hpu.constants import VOID, void_ids
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.description_writing import description_text
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.inspection.label_coding import Coding, coding_of, refuse_blended
from segnet_hpu.data.inspection.label_survey import COLOURED, LabelSurvey, survey_labels
from segnet_hpu.data.inspection.listing import Series, series_of
from segnet_hpu.data.inspection.name_patterns import name_patterns
from segnet_hpu.data.inspection.pairing import Match, stems_of_pairs
from segnet_hpu.data.inspection.split_drafts import SplitDraft, drafts_of
from segnet_hpu.errors import UsageError

MOST = 400  # labels that are read


def description_of_folders(splits: Mapping[str, Pair], n_classes: int | None,
                           ignore_label: int | None) -> str | None:
    """Return the description by which folders are a data set, as YAML; None where their names or labels need none.

    splits: {train, val, ...: folder of images and folder of labels}. n_classes, ignore_label: what the command was
    told of the labels.
    """
    drafts = {split: draft for split, folders in splits.items() if (draft := _draft(folders))}
    survey, coding = _labels([pair for draft in drafts.values() for pair in draft.paths("")],
                             n_classes if ignore_label is None else None)
    if survey is None or coding is None or len(drafts) < len(splits):
        return None
    named_alike = all(draft.matches[0].names[:2] == ("*", "*") for draft in drafts.values())
    if named_alike and (coding.plain or not _are_misread(survey, n_classes, ignore_label)):
        return None
    files = {split: draft.files() for split, draft in drafts.items()}
    return _remarks(coding) + description_text({**coding.lines, "splits": files})


def lines_of_dataset(dataset: DataSet, root: str, split: str) -> str | None:
    """Return the lines that read a split's labels, to stand in its description; None where it reads them already."""
    try:
        pairs, _ = dataset.match(root, split)
    except UsageError:
        return None
    survey, coding = _labels(pairs, dataset.n_classes)
    if survey is None or coding is None or dataset.others is not None:
        return None
    known = {int.from_bytes(colour, "big") for colour in dataset.colours or ()} or set(dataset.ids or ())
    is_mask = survey.entries.keys() == {0, VOID} and (dataset.ids or {}).get(VOID) == VOID
    if survey.coloured == bool(dataset.colours) and survey.entries.keys() <= known and not is_mask:
        return None
    return _remarks(coding) + description_text(coding.lines)


def _remarks(coding: Coding) -> str:
    """What is odd with the coding, as comments."""
    return "".join(f"# {remark}\n" for remark in coding.remarks)


def _draft(folders: Pair) -> SplitDraft | None:
    """How the files of two folders belong together, None where that cannot be told."""
    images, labels = map(_series, folders)
    if images is None or labels is None:
        return None
    found = name_patterns(images.files, labels.files)
    if not found:
        return None
    return drafts_of([Match(images, labels, found[0], stems_of_pairs(images, labels, found[0]), ())])[0]


def _series(folder: str) -> Series | None:
    """The pictures of a folder, whose whole path stands for a name; None where their stems repeat."""
    names = [entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")]
    series = series_of((folder.rstrip("/"),), sorted(names))
    return series[0] if len(series) == 1 else None


def _labels(pairs: Sequence[Pair], n_classes: int | None) -> tuple[LabelSurvey | None, Coding | None]:
    """What the labels hold, of some of many, and how they can be read; None where they cannot."""
    if not pairs:
        return None, None
    survey = _survey(pairs)
    try:
        return survey, coding_of(survey, n_classes=n_classes)
    except UsageError:
        return None, None


def refuse_values_of_no_ids(pairs: Sequence[Pair]) -> None:
    """Raise DataError where labels hold what no ids can be; for use where the number of classes is not known."""
    refuse_blended(_survey(pairs), os.path.dirname(pairs[0].label))


def _survey(pairs: Sequence[Pair]) -> LabelSurvey:
    """What the labels hold, of some of many."""
    return survey_labels([pair.label for pair in pairs[::-(-len(pairs) // MOST)]], quiet=True)


def _are_misread(survey: LabelSurvey, n_classes: int | None, ignore_label: int | None) -> bool:
    """Whether most of the labels hold anything but ids of classes and void: fewer are faults of their own."""
    if survey.coloured:  # where none is coloured itself, the palettes of all contradict each other
        wrong = len(survey.kinds.get(COLOURED, survey.sizes))
    elif survey.entries.keys() == {0, VOID}:
        return True
    else:
        allowed = {*range(n_classes or VOID), *void_ids(ignore_label)}
        wrong = sum(count for entries, count in survey.together.items() if not entries <= allowed)
    return 2 * wrong > len(survey.sizes)
