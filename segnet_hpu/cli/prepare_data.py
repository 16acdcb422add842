"""`prepare_data`: bring dataset1 into place."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from segnet_hpu.config import option
from segnet_hpu.data import dataset1


def parse_sha256(value: object) -> str:
    """64 hexadecimal digits"""
    if not re.fullmatch("[0-9a-fA-F]{64}", str(value)):
        raise ValueError("a SHA-256 has 64 hexadecimal digits")
    return str(value)


@dataclass
class Settings:
    """Keep, unpack or download dataset1 (CamVid, 12 classes); without a network, draw sample scenes."""

    out: str = option("dataset1", "folder for {images,annotations}_prepped_{train,test}/")
    dataset1: str | None = option(None, "a local dataset1.zip to unpack, as SEGNET_DATASET1")
    dataset1_url: str | None = option(None, "where to download instead of Google Drive")
    dataset1_sha256: str | None = option(None, "checksum that the zip must have", parse=parse_sha256)
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
                          sha256=settings.dataset1_sha256,
                          fallback=draw if settings.fallback else None))
