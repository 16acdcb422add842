"""Which images and labels, and how they are prepared."""

from dataclasses import dataclass

from segnet_hpu.components import Choice
from segnet_hpu.config import component, option
from segnet_hpu.data.augmentation import augmentations
from segnet_hpu.data.classes import PALETTES, parse_palette
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.registry import NAMES
from segnet_hpu.data.image_coding import ImageSettings


def parse_dataset(value: str | DataSet) -> str | DataSet:
    """a data set by name, a .yaml file, MODULE:NAME, or from Python a DataSet"""
    if not isinstance(value, str | DataSet):
        raise ValueError(f"a {type(value).__name__}")
    return value


@dataclass(kw_only=True)
class Data(ImageSettings):
    """Which images and labels, and how they are prepared."""

    GROUP = "data"

    dataset: str | DataSet | None = option(None, "data set by name, in place of folders: "
                                           f"{', '.join(NAMES)}, a .yaml file that describes one, or MODULE:NAME",
                                           parse=parse_dataset, changes="nothing")
    data_root: str | None = option(None, "folder where the data set lies as published", changes="nothing")
    train_split: str = option("train", "part of the data set to train on", changes="nothing")
    val_split: str = option("val", "part of the data set to validate on", changes="nothing")
    train_images: str | None = option(None, "folder of training images", changes="nothing")
    train_annotations: str | None = option(None, "folder of their labels", changes="nothing")
    validate: bool | None = option(None, "score a validation set after every epoch; if not set, where there is one",
                                   changes="nothing")
    val_images: str | None = option(None, "folder of validation images", changes="nothing")
    val_annotations: str | None = option(None, "folder of their labels", changes="nothing")
    not_verify_dataset: bool = option(False, "skip the check of the data sets", changes="nothing")
    ignore_label: int | None = option(None, "label id left out of loss and scores (255 always is)",
                                      minimum=0, maximum=255, changes="scores")
    class_names: str | None = option(None, "names a,b,c for reports and legends", changes="scores")
    palette: str | None = option(None, "colours, and names if none are given, of a known data set: "
                                 f"{', '.join(PALETTES)}; or colours rrggbb,rrggbb,...", parse=parse_palette,
                                 changes="nothing")
    image_downsampling: str = option("area", "how larger images are brought to the network's size, in training and "
                                     "ever after: area takes the mean of what a pixel covers, bilinear reads at its "
                                     "centre", choices=("area", "bilinear"), changes="scores")
    label_downsampling: str = option("centre", "how larger training labels are: the class at a pixel's centre, or "
                                     "the majority of what it covers", choices=("centre", "majority"),
                                     changes="training")
    do_augment: bool = option(False, "augment the training data", changes="training")
    augmentation_name: Choice = component(augmentations, "standard", "how; with changes: standard,rotate=5",
                                          changes="training")
    clahe: float = option(0.0, "equalise the lightness (CLAHE) of this share of the training images, and of every "
                          "image that is validated or, later, predicted; 0: of none", minimum=0.0, maximum=1.0,
                          changes="training")
    not_cached: bool = option(False, "decode the images anew in every epoch", changes="nothing")
    cache_mb: int | None = option(None, "memory of each worker for decoded images, MB; a share of what is free if "
                                  "not set", minimum=0, changes="nothing")
    loader_threads: int | None = option(None, "threads that prepare batches", minimum=1, changes="nothing")
