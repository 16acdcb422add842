"""What could be read or matched for ever is refused at once."""

import os

import pytest

from judging import EVALUATE, PREDICT, TRAIN
from segnet_hpu.config import read_yaml
from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.errors import UsageError

WEIGHTS_OF_PREFIX = '{"model_class": "unet_mini", "n_classes": 2, "input_height": 32, "input_width": 32}'
TUNE = TRAIN.replace("train", "tune", 1) + "--validate --val_images images --val_annotations labels "

# Name -> (what is a pipe, command, words).
PIPES = {
    "settings": ("p.yaml", TRAIN + "--config p.yaml", "--config p.yaml is a pipe; expected a regular file"),
    "description": ("p.yaml", "verify_dataset --dataset p.yaml", "--dataset p.yaml is a pipe"),
    "space": ("p.yaml", TUNE + "--space p.yaml", "--space p.yaml is a pipe"),
    "list": ("p.txt", "verify_dataset --dataset listed.yaml", "has no file p.txt"),
    "model": ("p.keras", PREDICT + "--checkpoints_path p.keras", "p.keras is a pipe"),
    "model of a run": ("run/checkpoints/net.best.keras", EVALUATE + "--checkpoints_path run",
                       "net.best.keras is a pipe"),
    "weights": ("w.0", PREDICT + "--checkpoints_path w", "w.0 is a pipe"),
    "caffemodel": ("p.caffe", "import_caffe --caffemodel p.caffe --model unet_mini --n_classes 2 --out m.keras",
                   "p.caffe is a pipe"),
    "archive": ("p.zip", "prepare_data --out new --dataset1 p.zip", "p.zip is no file"),
}


@pytest.mark.parametrize("name", PIPES)
def test_a_pipe(name, place, refused):
    pipe, command, words = PIPES[name]
    (place / "run/checkpoints").mkdir(parents=True)
    (place / "w_config.json").write_text(WEIGHTS_OF_PREFIX)
    (place / "listed.yaml").write_text("classes: [a, b]\nsplits: {train: {images: images/*.png, "
                                       "labels: labels/*.png, list: p.txt}}\n")
    os.mkfifo(pipe)
    if "listed" in command:  # whose error draws the tree
        with pytest.raises(UsageError, match=words):
            open_dataset("listed.yaml", None, "train")
    else:
        refused(command, [words])


def test_a_device(refused):
    refused(TRAIN + "--config /dev/zero", ["--config /dev/zero is a device"])


def test_patterns_of_many_stars(place):
    os.rename("images", "aaaa")
    for i in range(40):
        (place / f"aaaa/{'a' * (200 - i)}.png").touch()
    stars = "*a" * 26
    (place / "s.yaml").write_text(f"classes: [a, b]\nsplits: {{train: {{images: 'aaaa/{stars}.jpg', "
                                  f"labels: 'labels/{'*' * 26}.png'}}}}\n")
    with pytest.raises(UsageError, match="holds no file"):
        open_dataset("s.yaml", None, "train")


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))


@pytest.mark.parametrize("text", [BOMB + "classes: *a11\n", "classes: &a [*a]\n", "classes: &a {x: *a}\n"])
@pytest.mark.parametrize("command, flag", [("verify_dataset --dataset s.yaml", "--dataset"),
                                           (TRAIN + "--config s.yaml", "--config")])
def test_aliases_that_stand_for_more_than_memory_holds(place, refused, text, command, flag):
    (place / "s.yaml").write_text(text)
    refused(command, [f"{flag} s.yaml: its aliases", "expected a file without"])


def test_few_aliases_are_taken(place):
    (place / "s.yaml").write_text("a: &pair {images: i, labels: l}\nb: *pair\n")
    assert read_yaml("--dataset", "s.yaml")["b"] == {"images": "i", "labels": "l"}
