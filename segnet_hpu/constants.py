"""What every room agrees on."""

VOID = 255  # the training id of pixels that are no class: not learnt from, not scored
CLASS_IDS = "class ids"  # the label_rule of files whose values are those
LABEL_PALETTE = "label_palette"  # what a run notes the colours of the indices in its training labels under
MAX_CLASSES = 255  # labels are 8-bit, and 255 is void
# An example for messages that refuse a single class: a softmax over one is always 1, and trains to a loss of 0.
ONE_AND_BACKGROUND = "2 for one class and its background"


def void_ids(ignore_label: int | None) -> list[int]:
    """Return the ids of a plain label that are void: a list of `ignore_label` and 255 with it, empty for None.

    >>> void_ids(11)
    [11, 255]
    """
    return [] if ignore_label is None else sorted({ignore_label, VOID})
