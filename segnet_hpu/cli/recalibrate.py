"""`segnet-hpu recalibrate`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.datasets.registry import find, open_dataset, root_of
from segnet_hpu.data.datasets.selection import dataset_of_settings
from segnet_hpu.data.image_coding import PLAIN, ImageCoding, ImageSettings
from segnet_hpu.data.left_out import tell_left_out, tell_left_out_of_split
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.device import DeviceSettings, select_device
from segnet_hpu.signature import MODEL

if TYPE_CHECKING:
    import numpy as np

    from segnet_hpu.models.trained_model import TrainedModel


@dataclass(kw_only=True)
class Settings(DeviceSettings, Outputs, ImageSettings):
    """Count a model's statistics of batch normalisation anew, on training pictures. No weight changes."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    images_path: str | None = option(None, "folder of training pictures")
    dataset: str | None = option(None, "data set in place of the folder: a name, a .yaml file, or MODULE:NAME")
    data_root: str | None = option(None, "folder where the data set lies as published")
    split: str = option("train", "part of the data set")
    out: str = option(REQUIRED, "file to write; .keras")
    batch_size: int = option(8, "pictures that are normalised together; as in training, or more", minimum=1)
    batches: int = option(32, "count at most so many batches", minimum=1)
    seed: int = option(0, "of which pictures are taken", minimum=0)


def run(settings: Settings) -> None:
    if not settings.out.endswith(".keras"):
        raise UsageError(f"--out {settings.out}: expected a name that ends in .keras")
    dataset = dataset_of_settings(settings, ["images_path"], ["images_path"], ["split"])
    from segnet_hpu.interchange.load import find_checkpoint, load, refuse_checkpoint_of_run

    refuse_checkpoint_of_run("--out", settings.out)
    paths = _pictures(settings)
    path = find_checkpoint(settings.checkpoints_path)
    settings.check_output("out", MODEL, [path, *paths])
    device = select_device(settings.train_engine, backend=settings.backend)
    trained = load(path)
    from segnet_hpu.training.batch_statistics import BatchStatistics

    trained.network.compile(jit_compile=device.jit_compile)
    statistics = BatchStatistics(trained.network)
    if not statistics.layers:
        raise UsageError(f"{path} has no batch normalisation that is trained; there is nothing to count")
    size = min(settings.batch_size, len(paths))
    count = min(settings.batches, len(paths) // size)
    coding = settings.image_coding.over(dataset.image_files if dataset else PLAIN).over(trained.input_coding.files)
    statistics.count(_batches(trained, _shuffled(paths, settings.seed), coding, size, count))
    trained.save(settings.out, "free space or choose another --out")
    print(f"{settings.out}: {path} with the statistics of {len(statistics.layers)} batch normalisations counted over "
          f"{count} batches of {size} pictures")


def _pictures(settings: Settings) -> list[str]:
    """The files of the pictures; told of what is left out."""
    if settings.dataset:
        source = open_dataset(settings.dataset, settings.data_root, settings.split)
        dataset = find(settings.dataset)
        tell_left_out_of_split(dataset, root_of(dataset, settings.data_root), settings.split)
        return [pair.image for pair in source.pairs]
    from segnet_hpu.inference.pictures import PictureFolder

    folder = settings.images_path or ""
    paths = PictureFolder(folder).paths
    tell_left_out(folder, paths)
    return paths


def _shuffled(paths: Sequence[str], seed: int) -> list[str]:
    import numpy as np

    return [paths[i] for i in np.random.default_rng(seed).permutation(len(paths))]


def _batches(trained: "TrainedModel", paths: Sequence[str], coding: ImageCoding, size: int,
             count: int) -> "Iterator[np.ndarray]":
    """Yield batches float32 (size, H, W, C) as the network takes them."""
    import numpy as np

    from segnet_hpu.data.prefetch import batched
    from segnet_hpu.inference.pictures import read_pictures
    from segnet_hpu.inference.predictor import Predictor

    prepare = Predictor(trained).prepare
    pictures = read_pictures(paths[:size * count], coding)
    for batch in batched(map(prepare, pictures), size):
        yield np.stack(batch).astype(np.float32)
