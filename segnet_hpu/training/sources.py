"""The run's data: checked folders, the training loader, the validation source."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from segnet_hpu.constants import CLASS_IDS, VOID
from segnet_hpu.data.augmentation import Augmentation, with_function
from segnet_hpu.data.cache import default_budget
from segnet_hpu.data.datasets import find, open_dataset, root_of
from segnet_hpu.data.faults import refuse
from segnet_hpu.data.file_pairs import pair_paths
from segnet_hpu.data.geometry import Downsampling
from segnet_hpu.data.image_coding import limit_pixels
from segnet_hpu.data.label_palettes import LabelPalettes
from segnet_hpu.data.left_out import tell_left_out_of_folders, tell_left_out_of_split
from segnet_hpu.data.loader import Loader
from segnet_hpu.data.preprocessing import TrainTransform, change_pair
from segnet_hpu.data.sampling import Stream
from segnet_hpu.data.shared_images import warn_of_shared_images
from segnet_hpu.data.source import DataSetSource, FolderSource, PairSource, Source
from segnet_hpu.data.stats import median_frequency_weights
from segnet_hpu.data.verify import verify_pairs, verify_split
from segnet_hpu.runtime.ranks import Ranks
from segnet_hpu.training.settings import Settings


def open_sources(settings: Settings, ranks: Ranks) -> tuple[Source, Source | None]:
    """Return (training source, validation source or None), verified by rank 0 unless that is switched off.

    Raises UsageError for missing folders and, naming the first fault, for faulty data.
    """
    limit_pixels(settings.max_pixels)
    palettes = LabelPalettes()
    train, validation = (_open_dataset if settings.dataset else _open_folders)(settings, ranks, palettes)
    train.palette = ranks.first(palettes.noted) if train.label_rule == CLASS_IDS else {}
    if settings.not_verify_dataset and ranks.leads:  # of validation's labels evaluation warns
        train = train.checked(settings.n_classes, settings.ignore_label, refusing=False)
    if validation is not None:
        ranks.first(functools.partial(warn_of_shared_images, train.pairs, validation.pairs))
    return train, validation


def _open_folders(settings: Settings, ranks: Ranks, palettes: LabelPalettes) -> tuple[PairSource, Source | None]:
    folders = [(str(settings.train_images), str(settings.train_annotations))]
    if settings.validate:
        folders.append((str(settings.val_images), str(settings.val_annotations)))
    for images, labels in folders:
        ranks.first(functools.partial(_verify, images, labels, settings, palettes))
    sources = [FolderSource(images, labels).reading(settings.image_coding) for images, labels in folders]
    return sources[0], sources[1] if settings.validate else None


def try_augmentation(source: Source, settings: Settings) -> None:
    """Call a user's own augmentation on the first pair, if there is one. Raises UsageError where it does not fit."""
    _, function = with_function(settings.augmentation_name)
    if settings.do_augment and function:
        image, label = source[0]
        change_pair(function, image, label, np.random.default_rng(settings.seed), settings.n_classes,
                    {VOID, settings.ignore_label})


def training_loader(source: Source, settings: Settings, model: keras.Model, batch_size: int, ranks: Ranks,
                    custom: Callable[..., Any] | None = None) -> Loader:
    """Return the Loader of this rank's part of an endless, shuffled, augmented stream of full batches.

    batch_size: images of all ranks together. custom: see TrainTransform.
    """
    augmentation = Augmentation()
    if settings.do_augment:
        augmentation, function = with_function(settings.augmentation_name)
        custom = function or custom
    if settings.clahe:
        augmentation = dataclasses.replace(augmentation, **{"clahe": settings.clahe})
    stream = Stream(len(source), batch_size, settings.seed, rank=ranks.rank, ranks=ranks.size)
    transform = TrainTransform(model.input_shape[1:3], model.output_shape[1:3], augmentation, settings.ignore_label,
                               custom, model.input_shape[-1],
                               Downsampling(settings.image_downsampling, settings.label_downsampling),
                               settings.n_classes)
    return Loader(source, stream, transform, seed=settings.seed, threads=settings.loader_threads,
                  cache_bytes=_cache_bytes(settings, ranks.local_size))


def _cache_bytes(settings: Settings, workers: int) -> int:
    """Memory for this worker's decoded images; without a choice, the machine's workers share what is free."""
    if settings.not_cached:
        return 0
    return default_budget(workers) if settings.cache_mb is None else settings.cache_mb << 20


def class_weights(source: Source, settings: Settings) -> list[float] | None:
    """Return the loss's class weights as a list, or None."""
    weights = settings.loss.options.get("class_weights")
    if weights == "median_frequency":
        assert settings.n_classes is not None
        ignored = VOID if settings.dataset else settings.ignore_label
        return [float(w) for w in median_frequency_weights(source, settings.n_classes, ignored)]
    return weights


def _open_dataset(settings: Settings, ranks: Ranks,
                  palettes: LabelPalettes) -> tuple[PairSource, Source | None]:
    """The sources of a data set; rank 0 opens them first, alone, so that it alone complains."""
    assert settings.n_classes is not None and settings.dataset is not None
    n_classes, opened = settings.n_classes, dict[str, DataSetSource]()
    arguments = settings.dataset, settings.data_root

    def open_first(split: str) -> None:
        if settings.not_verify_dataset:
            opened[split] = open_dataset(*arguments, split)
            dataset = find(arguments[0])
            tell_left_out_of_split(dataset, root_of(dataset, arguments[1]), split)
            return
        opened[split], faults = verify_split(*arguments, split, n_classes, settings.ignore_label,
                                             settings.image_coding, palettes)
        refuse(faults)

    sources = []
    for split in [settings.train_split] + [settings.val_split] * bool(settings.validate):
        ranks.first(functools.partial(open_first, split))
        source = opened[split] if split in opened else open_dataset(*arguments, split)
        sources.append(source.ignoring(settings.ignore_label).reading(settings.image_coding))
    return sources[0], sources[1] if settings.validate else None


def _verify(images: str, labels: str, settings: Settings, palettes: LabelPalettes) -> None:
    if settings.not_verify_dataset:
        tell_left_out_of_folders(images, labels, pair_paths(images, labels))
        return
    assert settings.n_classes is not None
    refuse(verify_pairs(images, labels, settings.n_classes, settings.ignore_label, coding=settings.image_coding,
                        palettes=palettes))
