"""`sample_data`: draw the sample data set."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from segnet_hpu.config import REQUIRED, option


@dataclass
class Settings:
    """Draw street scenes with 12 classes as in CamVid, in keras_segmentation's folder layout."""

    out: str = option(REQUIRED, "folder for {images,annotations}_prepped_{train,test}/")
    n: int = option(40, "number of scenes", minimum=2, maximum=100000)
    seed: int = option(0, "the same seed draws the same scenes", minimum=0)
    height: int = option(360, "pixels", minimum=32, maximum=4096)
    width: int = option(480, "pixels", minimum=32, maximum=4096)
    val_fraction: float = option(0.2, "share of the scenes in the test folders", minimum=0, maximum=1)


def run(settings: Settings) -> None:
    """Draw, or confirm what is there."""
    from tqdm import tqdm

    from segnet_hpu.samples.write import write_dataset

    def progress(indices: Iterable[int]) -> Iterable[int]:
        return tqdm(indices, "drawing", unit="scene", disable=not sys.stderr.isatty())

    train, test, new = write_dataset(**vars(settings), progress=progress)
    print(f"{settings.out}: {train} training and {test} test scenes of seed {settings.seed}, "
          f"{settings.height}x{settings.width}" + ("" if new else " (were there already)"))
