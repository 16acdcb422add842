"""`dataset augment`: augmented copies on the disk."""

import shlex
from dataclasses import dataclass

from segnet_hpu.cli.data_flags import dataset_of
from segnet_hpu.cli.dataset.inputs import Inputs, count_of_classes, open_pairs
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.constants import VOID
from segnet_hpu.data.augmentation import with_function
from segnet_hpu.data.datasets.description_writing import write_description
from segnet_hpu.data.output_folder import new_dataset


@dataclass(kw_only=True)
class Settings(Inputs):
    """Write every pair and augmented copies of it into a new folder; the same seed makes the same copies."""

    copies: int = option(1, "copies of each pair, NAME_aug1, NAME_aug2, ...", minimum=1, maximum=1000)
    augmentation_name: str = option("standard", "how, as in train: PRESET or PRESET,field=value,..., or MODULE:NAME, "
                                    "a function (image, mask) -> (image, mask) of your own")
    mirror: bool = option(False, "mirror every second copy and no other, in place of mirroring by chance")
    seed: int = option(0, "of all that is drawn by chance", minimum=0)
    out: str = option(REQUIRED, "new folder for images/SPLIT/ and annotations/SPLIT/")


def run(settings: Settings) -> None:
    """Augment, and say how the result is used."""
    origin = dataset_of(settings, splits=())
    augmentation, custom = with_function(settings.augmentation_name)

    from segnet_hpu.data.augmented_copies import write_copies

    source = open_pairs(settings, settings.split)
    with new_dataset(settings.out) as folder:
        write_copies(source, settings.split, folder, settings.copies, augmentation, settings.seed, settings.mirror,
                     custom, count_of_classes(settings))
        source.refuse_faulty_set()
        source.warn_of_images()
        if origin and origin.class_names:
            write_description(folder / "dataset.yaml", origin, [settings.split])
    out, split = shlex.quote(settings.out), settings.split
    print(f"{settings.out}: {len(source)} pairs and {settings.copies * len(source)} copies; pixels without a class "
          f"have id {VOID}")
    data = (f"--dataset {out}/dataset.yaml --train_split {split}" if origin and origin.class_names else
            f"{settings.n_classes_flag} --train_images {out}/images/{split} "
            f"--train_annotations {out}/annotations/{split} --ignore_label {VOID}")
    print(f"next: segnet-hpu train --model_name vgg_segnet {data}")
