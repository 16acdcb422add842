"""Bad folders and files: refused in one line that names the file, before a model is made or loaded."""

import shutil
import zipfile

import cv2
import numpy as np
import pytest

from judging import EVALUATE, PREDICT, TRAIN, VERIFY, VISUALIZE, write_pair


def remove(*paths):
    return lambda place: [(place / path).unlink() for path in paths]


def write(path, data):
    def spoil(place):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return spoil


def copy(source, target):
    def spoil(place):
        (place / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place / source, place / target)
    return spoil


def cut(path):
    return lambda place: (place / path).write_bytes((place / path).read_bytes()[:-20])


def truncated_jpeg(place):
    pixels = cv2.imread(str(place / "images/a.png"))
    (place / "images/a.png").unlink()
    (place / "images/a.jpg").write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes()[:-300])


def picture(path, pixels):
    return lambda place: cv2.imwrite(str(place / path), np.asarray(pixels))


def ids(*values):
    return lambda place: write_pair(place, "a", values)


def coloured(place):
    mask = np.zeros((20, 24, 3), np.uint8)
    mask[:, 12:] = 128, 64, 32
    cv2.imwrite(str(place / "labels/a.png"), mask)


def empty(*folders):
    return lambda place: [(place / folder).mkdir() for folder in folders]


# Name -> (what spoils the data, command, words of the line).
DATA = {
    "no images": (empty("void"), TRAIN + "--train_images void", "void holds no such file", ".png"),
    "no labels": (empty("void"), TRAIN + "--train_annotations void", "void holds no such file", ".png"),
    "one folder for both": (None, TRAIN + "--train_annotations images", "images is given for both", "two folders"),
    "image without label": (remove("labels/a.png"), TRAIN, "images/a.png has no label in labels", "add a.png"),
    "label without image": (remove("images/a.png"), TRAIN, "labels/a.png has no image in images", "a.jpg or .png"),
    "no pair": (remove("images/a.png", "labels/b.png"), TRAIN, "labels/a.png has no image", "1 more"),
    "two images of a stem": (copy("images/a.png", "images/a.jpg"), TRAIN, "images/a.png shares its stem", "keep one"),
    "text as image": (write("images/a.png", b"hello\n"), TRAIN, "images/a.png is no image", "PNG, JPEG, BMP, "),
    "empty image": (write("images/a.png", b""), TRAIN, "images/a.png is empty", "copy it anew"),
    "truncated png": (cut("images/a.png"), TRAIN, "images/a.png is truncated", "copy it anew"),
    "truncated jpeg": (truncated_jpeg, TRAIN, "images/a.jpg is truncated", "copy it anew"),
    "truncated label": (cut("labels/a.png"), TRAIN, "labels/a.png is truncated", "copy it anew"),
    "mask of 0 and 255": (ids(0, 255), TRAIN, "labels/a.png is a mask of 0 and 255", "convert 255 to 1"),
    "coloured mask": (coloured, TRAIN, "labels/a.png is a coloured mask (2 colours", "grey PNG"),
    "id outside": (ids(0, 7), TRAIN, "labels/a.png holds ids outside 0..1: 7 (240 pixels)", "--n_classes"),
    "16-bit label": (picture("labels/a.png", np.full((20, 24), 3000, np.uint16)), TRAIN, "labels/a.png", "3000"),
    "label of another size": (picture("labels/a.png", np.zeros((10, 12), np.uint8)), TRAIN,
                              "labels/a.png is 12x10 but images/a.png is 24x20", "nearest neighbour"),
    "fault of validation": (empty("void"), TRAIN + "--validate --val_images void --val_annotations labels",
                            "void holds no such file"),

    "verify: missing folder": (None, VERIFY + "--images_path nowhere", "nowhere: cannot be read", "folder"),
    "verify: report in a file": (None, VERIFY + "--json images/a.png/r.json", "--json images/a.png/r.json"),
    "visualize: missing label": (remove("labels/a.png"), VISUALIZE, "images/a.png has no label", "a.png or .bmp"),
    "visualize: broken image": (cut("images/a.png"), VISUALIZE, "images/a.png is truncated", "copy it anew"),
    "visualize: augmentation": (None, VISUALIZE + "--do_augment --augmentation_name aug_al", "Did you mean aug_all?"),
    "visualize: out in a file": (None, VISUALIZE + "--out images/a.png/g.png", "--out images/a.png/g.png"),
    "visualize: onto an image": (None, VISUALIZE + "--out images/a.png", "--out images/a.png is one of the pictures"),
    "evaluate: missing labels": (None, EVALUATE + "--segs_path nowhere", "nowhere: cannot be read"),
    "evaluate: no model": (None, EVALUATE, "no checkpoint at model.keras", ".keras file"),
    "evaluate: report in a file": (None, EVALUATE + "--json images/a.png/r.json", "--json images/a.png/r.json"),
    "evaluate: report is a folder": (None, EVALUATE + "--json labels", "--json labels", "folder"),

    "predict: no input": (None, PREDICT + "--input_path nowhere", "--input_path nowhere: no such file or folder"),
    "predict: no picture": (empty("void"), PREDICT + "--input_path void", "--input_path void holds no picture"),
    "predict: onto itself": (None, PREDICT + "--input_path images/a.png --output_path images/a.png",
                             "--output_path images/a.png is the picture itself"),
    "predict: into its folder": (None, PREDICT + "--output_path images", "--output_path images is the folder"),
    "predict: one into its folder": (None, PREDICT + "--input_path images/a.png --output_path images",
                                     "--output_path images/a.png is the picture itself"),
    "predict: folder to file": (None, PREDICT + "--output_path labels/a.png", "--output_path labels/a.png is a file"),
    "predict: two to one": (copy("images/a.png", "images/a.bmp"), PREDICT, "images/a.bmp", "images/a.png",
                            "would both become out/a.png"),
    "predict: out below a file": (None, PREDICT + "--output_path labels/a.png/out", "--output_path labels/a.png/out"),
    "predict: no picture ending": (None, PREDICT + "--input_path images/a.png --output_path a.txt",
                                   "--output_path a.txt", ".png or .jpg"),
    "predict: no model": (None, PREDICT, "no checkpoint at model.keras", ".keras file"),
    "predict: folder without model": (None, PREDICT + "--checkpoints_path labels", "no checkpoint at labels"),

    "sample: not empty": (None, "sample_data --out images --n 2", "--out images is not empty", "new folder"),
    "sample: a file": (None, "sample_data --out images/a.png --n 2", "--out images/a.png is a file", "folder"),
    "prepare: no archive": (None, "prepare_data --dataset1 no.zip", "no.zip is no file", "dataset1.zip"),
    "prepare: text as archive": (write("d.zip", b"hello"), "prepare_data --dataset1 d.zip",
                                 "d.zip is broken or no zip"),
    "prepare: other folder": (None, "prepare_data --out images", "images exists but is no complete data set"),
}


@pytest.mark.parametrize("name", DATA)
def test_bad_data(refused, place, name):
    spoil, command, *words = DATA[name]
    if spoil:
        spoil(place)
    refused(command, words)


@pytest.mark.parametrize("part", [0.5, 0.95])
def test_truncated_archive(refused, place, part):
    with zipfile.ZipFile(place / "d.zip", "w") as archive:
        for kind in "train", "test":
            archive.write("images/a.png", f"dataset1/images_prepped_{kind}/a.png")
            archive.write("labels/a.png", f"dataset1/annotations_prepped_{kind}/a.png")
    whole = (place / "d.zip").read_bytes()
    (place / "d.zip").write_bytes(whole[:int(len(whole) * part)])
    refused("prepare_data --dataset1 d.zip", ["d.zip is broken or no zip", "get it again"])


def test_name_that_is_no_text(cli, place):
    with open(b"images/\xe9.png", "wb") as file:
        file.write((place / "images/a.png").read_bytes())
    done = cli(*VERIFY.split(), env={"PYTHONIOENCODING": "utf-8:strict"})
    assert (done.returncode, done.stderr) == (1, "")
    assert r"images/\udce9.png has no label in labels" in done.stdout


def test_download_without_fallback(refused):
    refused("prepare_data --fallback none --dataset1_url http://127.0.0.1:9/d.zip", ["127.0.0.1:9"], status=1)


def test_sample_below_a_file(refused):
    refused("sample_data --out images/a.png/new --n 2 --height 32 --width 32", ["--out images/a.png/new"], status=1)
