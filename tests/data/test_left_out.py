"""What folders and patterns leave out is told, and subfolders are searched alike by every command."""

import cv2
import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.cli import main
from segnet_hpu.data.file_pairs import pair_paths
from segnet_hpu.data.left_out import tell_left_out
from segnet_hpu.data.source import FolderSource
from segnet_hpu.inference.label_pictures import find_pictures
from segnet_hpu.inference.pictures import PictureFolder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """images/{a.png,deep/b.TIF}, with their labels, and what is not read."""
    for name in ("a.png", "deep/b.tif"):
        made.write(tmp_path / "images" / name, made.noise((6, 8)))
        made.write(tmp_path / "labels" / name, np.arange(48, dtype=np.uint8).reshape(6, 8) % 3)
    (tmp_path / "images/deep/b.tif").rename(tmp_path / "images/deep/b.TIF")
    made.write(tmp_path / "images/alone/c.png", made.noise((6, 8)))
    (tmp_path / "images/d.gif").write_bytes(b"GIF89a")
    (tmp_path / "images/notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


LEFT_OUT = "not read in images: 1 .gif, 1 .png (alone/c.png, d.gif)\n"


def test_two_folders(place):
    source = FolderSource("images", "labels")
    assert [tuple(pair) for pair in source.pairs] == [("images/a.png", "labels/a.png"),
                                                      ("images/deep/b.TIF", "labels/deep/b.tif")]
    assert [source.name(i) for i in range(2)] == ["a", "deep_b"] and source[1].image.shape == (6, 8, 3)


@pytest.mark.parametrize("command", [
    "verify_dataset --n_classes 3", "dataset stats", "dataset convert --to folder --out out",
    "dataset augment --out out", "dataset split --val 1 --out out", "visualize_dataset --n_classes 3"])
def test_every_command_tells(place, capsys, command):
    assert main([*command.split(), "--images_path", "images", "--segs_path", "labels"]) == 0
    assert capsys.readouterr().err == f"segnet-hpu: warning: {LEFT_OUT}"


def test_predict_and_demo_walk_alike(place, capsys):
    """Without labels all below is taken, but for what an earlier call wrote there."""
    made.write(place / "images/out/a.png", made.noise((6, 8)))
    found = [str(picture) for picture, _ in find_pictures("images", "images/out")]
    assert found == ["images/a.png", "images/alone/c.png", "images/deep/b.TIF"]
    assert capsys.readouterr().err == "segnet-hpu: warning: not read in images: 1 .gif (d.gif)\n"
    folder = PictureFolder("images", leave="images/out")
    assert folder.paths == found and [folder.name(i) for i in range(3)] == ["a", "alone_c", "deep_b"]


def test_a_folder_of_one_kind_inside_the_other_is_none_of_it(tmp_path):
    made.write(tmp_path / "a.png", made.noise((6, 8)))
    made.write(tmp_path / "labels/a.png", np.zeros((6, 8), np.uint8))
    assert pair_paths(tmp_path, tmp_path / "labels") == [(str(tmp_path / "a.png"), str(tmp_path / "labels/a.png"))]


def test_further_formats_yield_to_those_that_were_always_read(tmp_path, capsys):
    for name in ("a.png", "a.webp", "b.webp"):
        made.write(tmp_path / "images" / name, made.noise((6, 8)))
        made.write(tmp_path / f"labels/{name[0]}.png", np.zeros((6, 8), np.uint8))
    assert [image[-6:] for image, _ in pair_paths(tmp_path / "images", tmp_path / "labels")] == ["/a.png", "b.webp"]
    main(["verify_dataset", "--n_classes", "2", "--images_path", str(tmp_path / "images"), "--segs_path",
          str(tmp_path / "labels")])
    assert "images: 1 .webp (a.webp)\n" in capsys.readouterr().err


def test_patterns(place, capsys):
    for name in ("photos/e.jpg", "photos/f.jpeg", "photos/deep/g.jpg", "photos/h_mask.png", "photos/other.jpg"):
        made.write(place / name, made.noise((6, 8)))
    for name in ("e", "other"):
        cv2.imwrite(str(place / f"photos/{name}_mask.png"), np.eye(6, 8, dtype=np.uint8))
    (place / "d.yaml").write_text("classes: [a, b]\n"
                                  "splits:\n  train: {images: photos/*.jpg, labels: photos/*_mask.png}")
    assert main(["verify_dataset", "--dataset", "d.yaml"]) == 0
    assert capsys.readouterr().err == (f"segnet-hpu: warning: not read by photos/*.jpg in {place}/./photos: 1 .jpeg, "
                                       "1 .png, 1 .jpg (deep/g.jpg, f.jpeg, h_mask.png)\n")
    (place / "d.yaml").write_text("classes: [a, b, c]\nsplits: {train: {images: images, labels: labels}}")
    assert main(["verify_dataset", "--dataset", "d.yaml"]) == 0
    assert LEFT_OUT.split(": ")[1] in capsys.readouterr().err


def test_links_to_folders_are_told(tmp_path, capsys):
    (tmp_path / "images/deep").mkdir(parents=True)
    (tmp_path / "labels").mkdir()
    for name, target in (("images/more", "labels"), ("images/deep/back", "images"), ("images/aside", "out")):
        (tmp_path / target).mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(tmp_path / target)
    tell_left_out(tmp_path / "images", set(), leave=tmp_path / "out")
    assert f"not looked into in {tmp_path}/images: deep/back, more, links to folders" in capsys.readouterr().err
