"""What every room agrees on."""

VOID = 255  # the training id of pixels that are no class: not learnt from, not scored


def void_ids(ignore_label: int | None) -> list[int]:
    """Return the ids of a plain label that are void: a list of `ignore_label` and 255 with it, empty for None.

    >>> void_ids(11)
    [11, 255]
    """
    return [] if ignore_label is None else sorted({ignore_label, VOID})
