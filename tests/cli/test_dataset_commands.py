"""`segnet-hpu dataset ...` as users run it."""

import json

import cv2
import numpy as np
import pytest

from segnet_hpu.cli import main
from segnet_hpu.data.datasets.description import read_description
from segnet_hpu.data.image_coding import ImageCoding


@pytest.fixture
def folders(tmp_path):
    """Arguments that name ten pairs with ids 0..2, 11 and 255."""
    rng = np.random.default_rng(0)
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for i in range(10):
        cv2.imwrite(str(tmp_path / f"images/s_{i}.jpg"), rng.integers(0, 256, (12, 16, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"labels/s_{i}.png"),
                    rng.choice(np.array([0, 1, 2, 11, 255], np.uint8), (12, 16)))
    return ["--images_path", "images", "--segs_path", "labels"]


def good(done, told=""):
    """The lines that a command printed. told: what it must warn of, text within the one line."""
    assert done.returncode == 0 and (told in done.stderr if told else not done.stderr), done.stderr
    assert done.stderr.count("\n") == bool(told)
    return done.stdout.splitlines()


def test_group_help_and_unknown_commands(cli):
    lines = good(cli("dataset", "--help"))
    assert lines[0].startswith("usage: segnet-hpu dataset COMMAND") and lines[2].split()[0] == "split"
    assert cli("dataset").returncode == 2
    done = cli("dataset", "spilt")
    assert done.returncode == 2 and done.stderr == \
        "segnet-hpu: unknown command 'spilt'. Did you mean split? See segnet-hpu dataset --help\n"
    assert "--val" in cli("dataset", "split", "--help").stdout


def test_split_then_its_own_next_step(cli, folders, tmp_path):
    said = good(cli("dataset", "split", *folders, "--val", 3, "--seed", 4, "--out", "my parts"))
    assert said == ["my parts: 7 training and 3 validation pairs of seed 4, copied",
                    "next: segnet-hpu train --model_name vgg_segnet --n_classes N --dataset folder "
                    "--data_root 'my parts'"]
    done = cli("verify_dataset", "--dataset", "folder", "--data_root", "my parts", "--n_classes", 12)
    told = [f"8 of 12 classes occur in none of the {n} labels in my parts/annotations/{part}: 3, 4, 5, 6, 7, 8, 9"
            for part, n in (("train", 7), ("val", 3))]
    assert (done.returncode, done.stdout) == (0, "10 pairs, no faults\n")
    assert all(line in done.stderr for line in told) and done.stderr.count("\n") == 2, done.stderr
    assert cli("dataset", "split", *folders, "--val", "0.3", "--out", "my parts").returncode == 2


def test_split_hands_on_what_its_flags_say(cli, folders, tmp_path):
    flags = "--ignore_label 2 --orientation as_stored --image_range 0-4095 --ignore_alpha"
    said = good(cli("dataset", "split", *folders, *flags.split(), "--val", 3, "--out", "parts"))
    assert said[-1].endswith(f"--data_root parts {flags}")
    (tmp_path / "own.yaml").write_text("classes: [a, b, c]\nignore_label: 11\n"
                                       "splits: {train: {images: images, labels: labels}}\n")
    good(cli("dataset", "split", "--dataset", "own.yaml", *flags.split(), "--val", 3, "--out", "more"))
    described = read_description(str(tmp_path / "more/dataset.yaml"))
    assert described.ids == {0: 0, 1: 1, 2: 255, 11: 255, 255: 255}
    assert described.image_files == ImageCoding("as_stored", (0, 4095), True)


def test_stats_of_folders(cli, folders, tmp_path):
    said = good(cli("dataset", "stats", *folders, "--ignore_label", 11, "--out", "stats.json"))
    report = json.loads((tmp_path / "stats.json").read_text())
    labels = np.stack([cv2.imread(str(tmp_path / f"labels/s_{i}.png"), cv2.IMREAD_UNCHANGED) for i in range(10)])
    assert [c["pixels"] for c in report["classes"]] == [int((labels == c).sum()) for c in range(3)]
    assert report["void"]["pixels"] == np.isin(labels, (11, 255)).sum() and len(said) == 8
    assert said[-1] == "--class_weights " + ",".join(f"{w:g}" for w in report["class_weights"])


def test_convert_there_and_back(cli, folders, tmp_path):
    good(cli("dataset", "convert", *folders, "--ignore_label", 11, "--split", "val", "--to", "camvid", "--out", "c"))
    said = good(cli("dataset", "convert", "--dataset", "camvid", "--data_root", "c", "--split", "val", "--out", "f"))
    assert said == ["f: 10 val pairs in the layout of folder",
                    "next: segnet-hpu verify_dataset --dataset f/dataset.yaml --split val"]
    told = "warning: 8 of 11 classes occur in none of the 10 labels in "
    assert good(cli(*said[1].split()[2:]), told) == ["10 pairs, no faults"]
    for i in range(10):
        label, back = (cv2.imread(str(tmp_path / folder / f"s_{i}.png"), cv2.IMREAD_UNCHANGED)
                       for folder in ("labels", "f/annotations/val"))
        np.testing.assert_array_equal(back, np.where(label == 11, 255, label))


def test_augment_by_the_names_own_description(cli, folders, tmp_path):
    good(cli("dataset", "convert", *folders, "--ignore_label", 11, "--to", "camvid", "--out", "c"))
    said = good(cli("dataset", "augment", "--dataset", "camvid", "--data_root", "c", "--copies", 2, "--mirror",
                    "--augmentation_name", "kitti", "--out", "more"))
    assert said == ["more: 10 pairs and 20 copies; pixels without a class have id 255",
                    "next: segnet-hpu train --model_name vgg_segnet --dataset more/dataset.yaml --train_split train"]
    done = cli("verify_dataset", "--dataset", "more/dataset.yaml", "--split", "train")
    assert good(done, "8 of 11 classes occur in none of the 30 labels in ") == ["30 pairs, no faults"]


def test_augmented_folders_have_255_for_every_void_id(cli, folders, tmp_path):
    said = good(cli("dataset", "augment", *folders, "--ignore_label", 11, "--out", "o"))
    assert said[0] == "o: 10 pairs and 10 copies; pixels without a class have id 255"
    assert said[1].endswith("--train_annotations o/annotations/train --ignore_label 255")
    label, written = (cv2.imread(str(tmp_path / path), cv2.IMREAD_UNCHANGED)
                      for path in ("labels/s_3.png", "o/annotations/train/s_3.png"))
    np.testing.assert_array_equal(written, np.where(label == 11, 255, label))


@pytest.mark.parametrize("arguments, words", [
    (("split", "--val", "3"), "needs --out"),
    (["split", "--val", "2", "--out", "o"], "--images_path, --segs_path must be given; or --dataset"),
    (("split", "FOLDERS", "--val", "1.5", "--out", "o"), "--val is '1.5'; expected a number of pairs such as 48"),
    (("split", "FOLDERS", "--val", "3", "--out", "o", "--link", "--move"), "--link and --move exclude each other"),
    (("split", "FOLDERS", "--val", "3", "--out", "images"), "--out images is there already; expected a new"),
    (("stats",), "--images_path, --segs_path must be given; or --dataset"),
    (("stats", "FOLDERS", "--dataset", "voc"), "--images_path does not go with --dataset voc"),
    (("stats", "FOLDERS", "--n_classes", "3"), "holds ids outside 0..2: 11 ("),
    (("stats", "FOLDERS", "--out", "images"), "--out images is a folder; expected a file's name"),
    (("convert", "FOLDERS", "--to", "cmavid", "--out", "o"), "Did you mean camvid?"),
    (("convert", "FOLDERS", "--to", "coco_instances", "--out", "o"), "its labels are polygons in one file"),
    (("convert", "FOLDERS", "--to", "camvid", "--out", "o"), "holds the training id 11, which camvid does not have"),
    (("convert", "FOLDERS", "--to", "voc", "--split", "dev", "--out", "o"), "voc has no split 'dev'"),
    (("convert", "FOLDERS", "--split", "../x", "--out", "o"), "--split is '../x'; expected names of letters"),
    (("convert", "--dataset", "voc", "--data_root", ".", "--to", "camvid", "--out", "o"),
     "--to camvid: its classes are not those of voc"),
    (("augment", "FOLDERS", "--augmentation_name", "kiti", "--out", "o"), "Did you mean kitti?"),
])
def test_refusals_are_one_line_and_write_nothing(capsys, monkeypatch, folders, tmp_path, arguments, words):
    from segnet_hpu.cli import main

    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    flags = [flag for argument in arguments for flag in (folders if argument == "FOLDERS" else [argument])]
    assert main(["dataset", *flags]) == 2
    error = capsys.readouterr().err
    line, *description = error.splitlines()  # of labels with ids of their own: the one that reads them
    assert words in line and (not description or "classes: " in error)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["convert", "augment", "split --val 3", "stats"])
def test_ids_that_no_class_has_are_refused_as_verify_dataset_does(folders, tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    out = [] if command == "stats" else ["--out", "new"]
    call = ["dataset", *command.split(), *folders, *out, "--ignore_label", "255", "--n_classes"]
    assert main([*call, "3"]) == 2
    said = capsys.readouterr().err
    assert "labels/s_0.png holds ids outside 0..2: 11 (" in said and "raise --n_classes" in said
    assert not (tmp_path / "new").exists()
    assert main([*call, "12"]) == 0
    assert "--n_classes 12" in capsys.readouterr().out or command == "stats"


@pytest.mark.parametrize("command", ["convert --out new", "augment --out new", "split --val 2 --out new", "stats"])
def test_values_that_blending_made_are_no_ids(tmp_path, monkeypatch, capsys, command):
    """A mask of 0 and 255 that was a JPEG once; with the number of classes it is refused as by verify_dataset."""
    monkeypatch.chdir(tmp_path)
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for i in range(4):
        mask = np.zeros((64, 64), np.uint8)
        mask[10 + 3 * i:40, 5 * i:30] = 255
        mask = cv2.imdecode(cv2.imencode(".jpg", mask)[1], 0)
        for folder in ("images", "labels"):
            cv2.imwrite(f"{folder}/{i}.png", mask)
    call = ["dataset", *command.split(), "--images_path", "images", "--segs_path", "labels"]
    for flags in ([], ["--ignore_label", "255"]):
        assert main([*call, *flags]) == 2
        said = capsys.readouterr()
        assert "labels holds " in said.err and "these are no class ids" in said.err and "weights" not in said.out
    assert main([*call, "--n_classes", "2"]) == 2 and "holds ids outside 0..1" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_stats_tell_of_gaps_and_of_255(cli, folders):
    done = cli("dataset", "stats", *folders)
    assert done.returncode == 0 and "8 of the ids 0..11 occur in no label; --n_classes says" in done.stderr
    assert "255, which 10 labels hold, is taken for void; --ignore_label 255 says so" in done.stderr
    assert not cli("dataset", "stats", *folders, "--ignore_label", 11).stderr
