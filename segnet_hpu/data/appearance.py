"""How classes look and are called, from flags first, then from what training noted."""

from dataclasses import dataclass

import numpy as np

from segnet_hpu.data.classes import class_names, palette, split_names


@dataclass
class Appearance:
    """names: of the classes. colours: uint8 (n, 3) RGB."""

    names: list[str]
    colours: np.ndarray

    @classmethod
    def of(cls, n_classes: int, names: str | None = None, palette_name: str | None = None) -> "Appearance":
        """names: text "a,b,c" or None. palette_name: a data set's, whose names serve where none are given.

        Raises UsageError for an unknown palette or a wrong number of names.
        """
        return cls(split_names(names, n_classes) if names else class_names(palette_name, n_classes),
                   palette(palette_name, n_classes))
