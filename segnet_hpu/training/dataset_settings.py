"""What a data set by name brings to a run's settings."""

from dataclasses import astuple

from segnet_hpu.data.datasets.selection import dataset_of_settings, number_of_classes
from segnet_hpu.training.settings import Settings

FOLDERS = ("train_images", "train_annotations", "val_images", "val_annotations")
NEEDED = ("n_classes", "train_images", "train_annotations")
SPLITS = ("train_split", "val_split")


def complete_from_dataset(settings: Settings) -> None:
    """Set, where they are not, classes, palette, ignore_label, validate and how images are read, by the data set.

    Raises UsageError where folders and a data set are both given, or neither.
    """
    dataset = dataset_of_settings(settings, FOLDERS, NEEDED, SPLITS)
    if dataset is None:
        if settings.validate is None:
            settings.validate = bool(settings.val_images or settings.val_annotations)
        return
    settings.n_classes = number_of_classes(dataset, settings.n_classes)
    if settings.validate is None:
        settings.validate = settings.val_split in dataset.splits
    if settings.class_names is None and dataset.class_names:
        settings.class_names = ",".join(dataset.class_names)
    if settings.palette is None:
        settings.palette = dataset.palette
    if settings.ignore_label is None:
        settings.ignore_label = dataset.ignore_label
    coding = settings.image_coding.over(dataset.image_files)
    settings.orientation, settings.image_range, settings.ignore_alpha = astuple(coding)
