"""`prepare_data`: bring dataset1 into place."""

import sys
from dataclasses import dataclass
from pathlib import Path

from segnet_hpu.config import option
from segnet_hpu.data import dataset1


@dataclass
class Settings:
    """Keep, unpack or download dataset1 (CamVid, 12 classes); without a network, draw sample scenes."""

    out: str = option("dataset1", "folder for {images,annotations}_prepped_{train,test}/")
    dataset1: str | None = option(None, "a local dataset1.zip to unpack, as SEGNET_DATASET1")
    dataset1_url: str | None = option(None, "where to download instead of Google Drive")
    fallback: str | None = option("sample", "what to do when the download fails", choices=("sample", "none"))
    n: int = option(40, "number of sample scenes", minimum=2, maximum=100000)
    seed: int = option(0, "seed of the sample scenes", minimum=0)


def run(settings: Settings) -> None:
    """Prepare the folder and say in one line what it holds."""
    def draw(out: Path) -> str:
        from segnet_hpu.samples.write import write_dataset

        print(f"drawing {settings.n} sample scenes instead", file=sys.stderr)
        train, test, _ = write_dataset(out, settings.n, settings.seed)
        return f"{out} holds {train} training and {test} test scenes of the sample data set"

    print(dataset1.prepare(settings.out, archive=settings.dataset1, url=settings.dataset1_url or dataset1.URL,
                          fallback=draw if settings.fallback else None))
