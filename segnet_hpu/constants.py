"""What every room agrees on."""

VOID = 255  # the training id of pixels that are no class: not learnt from, not scored
MAX_CLASSES = 255  # labels are 8-bit, and 255 is void


def void_ids(ignore_label: int | None) -> list[int]:
    """Return the ids of a plain label that are void: a list of `ignore_label` and 255 with it, empty for None.

    >>> void_ids(11)
    [11, 255]
    """
    return [] if ignore_label is None else sorted({ignore_label, VOID})
