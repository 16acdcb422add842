"""How a refusal is judged, and the small sound data set that the tests spoil."""

import hashlib

import cv2
import numpy as np

# Sound commands for the data set that `write_pair` makes; a later flag wins over an earlier one.
TRAIN = ("train --model_name vgg_segnet --n_classes 2 --input_height 32 --input_width 32 "
         "--encoder_weights random --train_images images --train_annotations labels --epochs 1 "
         "--train_engine cpu --model_dir run ")
DISTRIBUTED = TRAIN + "--distributed "
PREDICT = "predict --checkpoints_path model.keras --input_path images --output_path out --train_engine cpu "
EVALUATE = "evaluate_model --checkpoints_path model.keras --images_path images --segs_path labels --train_engine cpu "
VERIFY = "verify_dataset --images_path images --segs_path labels --n_classes 2 "
VISUALIZE = "visualize_dataset --images_path images --segs_path labels --n_classes 2 "


def write_pair(folder, stem, ids=(0, 1)):
    """Write images/STEM.png (noise) and labels/STEM.png (two halves with these ids), 24 wide and 20 high."""
    image = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    label = np.repeat(np.array([ids], np.uint8), 12, axis=1).repeat(20, axis=0)
    for place, pixels in (("images", image), ("labels", label)):
        (folder / place).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / place / f"{stem}.png"), pixels)


def is_one_line(err):
    """Whether stderr holds one line, the command line's own, and no traceback."""
    return len(err.splitlines()) == 1 and err.startswith("segnet-hpu: ") and "Traceback" not in err


def contents(folder):
    """Return {path: (mode, digest of the bytes, or False for a folder)} of all below a folder."""
    return {str(path.relative_to(folder)): (path.lstat().st_mode, path.is_file() and
                                            hashlib.sha1(path.read_bytes()).hexdigest())
            for path in folder.rglob("*")}
