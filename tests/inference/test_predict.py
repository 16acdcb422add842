"""Class maps at the pictures' own size, and what `predict` writes."""

import cv2
import numpy as np
import pytest
from odd import by_hand, write_pictures

from segnet_hpu.cli import main
from segnet_hpu.data.classes import palette
from segnet_hpu.errors import UsageError
from segnet_hpu.files import write_image
from segnet_hpu.inference.label_pictures import find_pictures
from segnet_hpu.inference.predictor import Predictor, classes_at


@pytest.mark.parametrize("classes", [1, 2, 4, 12])
@pytest.mark.parametrize("size", [(16, 24), (37, 53), (9, 100)])
def test_classes_at_is_the_argmax_of_the_resized_logits(classes, size):
    logits = np.random.default_rng(0).normal(size=(16, 24, classes)).astype(np.float32)
    resized = np.stack([cv2.resize(logits[..., c], size[::-1]) for c in range(classes)], -1)
    found = classes_at(logits, size)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, resized.argmax(-1))


def test_equal_logits_mean_the_first_class():
    np.testing.assert_array_equal(classes_at(np.ones((4, 4, 3), np.float32), (8, 8)), 0)


def test_a_batch_not_full_gives_what_single_pictures_give(tmp_path, model):
    images, _ = write_pictures(tmp_path)
    together = Predictor(model, batch_size=4).predict(images)
    assert [m.shape for m in together] == [image.shape[:2] for image in images]
    for image, classes in zip(images, together, strict=True):
        np.testing.assert_array_equal(classes, by_hand(model, image))


def predict(model_file, *argv):
    return main(["predict", "--checkpoints_path", str(model_file), *map(str, argv)])


def test_a_folder_with_all_below_it_as_ids(tmp_path, model, model_file, capsys):
    images, _ = write_pictures(tmp_path)
    (tmp_path / "images/sub/deep").mkdir(parents=True)
    (tmp_path / "images/2.png").rename(tmp_path / "images/sub/deep/2.png")
    (tmp_path / "images/notes.txt").write_text("no picture")
    assert predict(model_file, "--input_path", tmp_path / "images", "--output_path", tmp_path / "out", "--ids",
                   "--batch_size", 2) == 0
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()) == [
        "0.png", "1.png", "sub/deep/2.png"]
    for name, image in zip(("0", "1", "sub/deep/2"), images, strict=True):
        ids = cv2.imread(str(tmp_path / f"out/{name}.png"), cv2.IMREAD_UNCHANGED)
        assert ids.dtype == np.uint8
        np.testing.assert_array_equal(ids, by_hand(model, image))
    assert "3 pictures labelled" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["predict", "evaluate_model"])
def test_jpegs_with_damaged_data_are_told(tmp_path, model_file, capsys, command):
    whole = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8))[1].tobytes()
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for name, data in (("a", whole), ("b", whole[:-len(whole) // 3] + whole[-2:])):
        (tmp_path / f"images/{name}.jpg").write_bytes(data)
        write_image(tmp_path / f"labels/{name}.png", np.eye(32, 48, dtype=np.uint8))
    flags = {"predict": ["--input_path", tmp_path / "images", "--output_path", tmp_path / "out"],
             "evaluate_model": ["--images_path", tmp_path / "images", "--segs_path", tmp_path / "labels"]}[command]
    assert main([command, "--checkpoints_path", str(model_file), *map(str, flags)]) == 0
    assert f"1 of 2 images are JPEGs with damaged data, such as {tmp_path}/images/b.jpg (" in capsys.readouterr().err


def test_one_file_in_colours_and_over_the_picture(tmp_path, model, model_file):
    image, *_ = write_pictures(tmp_path)[0]
    classes = by_hand(model, image)
    assert len(np.unique(classes)) > 1
    for name, flags in (("colour", []), ("over", ["--overlay"]), ("legend", ["--legend"])):
        assert predict(model_file, "--input_path", tmp_path / "images/0.png",
                       "--output_path", tmp_path / f"new/{name}.png", *flags) == 0
    colours = palette(None, 4)[classes]
    read = {name: cv2.imread(str(tmp_path / f"new/{name}.png"))[..., ::-1] for name in ("colour", "over", "legend")}
    np.testing.assert_array_equal(read["colour"], colours)
    np.testing.assert_allclose(read["over"], (image.astype(float) + colours) / 2, atol=1)
    legend = read["legend"]
    np.testing.assert_array_equal(legend[:37, :53], colours)
    assert legend.shape[1] > 53
    for colour in palette(None, 4):  # every class has its colour beside the picture
        assert (legend[:, 53:] == colour).all(-1).any()


def test_a_known_palette_and_a_folder_as_target(tmp_path, model, model_file):
    image, *_ = write_pictures(tmp_path)[0]
    (tmp_path / "out").mkdir()
    assert predict(model_file, "--input_path", tmp_path / "images/0.png", "--output_path", tmp_path / "out",
                   "--palette", "camvid") == 0
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "out/0.png"))[..., ::-1],
                                  palette("camvid", 4)[by_hand(model, image)])


def test_broken_pictures_are_named_and_the_good_ones_written(tmp_path, model_file, capsys):
    write_pictures(tmp_path)
    sound = (tmp_path / "images/1.png").read_bytes()
    (tmp_path / "images/1.png").write_bytes(sound[:len(sound) // 2])
    assert predict(model_file, "--input_path", tmp_path / "images", "--output_path", tmp_path / "out") == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["0.png", "2.png"]
    err = capsys.readouterr().err
    assert "1 of 3 pictures could not be labelled" in err and "1.png is truncated" in err


def test_results_never_take_the_place_of_pictures(tmp_path, model_file, capsys):
    write_pictures(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.png")}
    for source, target in (("images", "images"), ("images/0.png", "images/0.png"), ("images", "images/0.png")):
        assert predict(model_file, "--input_path", tmp_path / source, "--output_path", tmp_path / target) == 2
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.png")} == before


def test_results_above_the_pictures(tmp_path, model, model_file, capsys):
    images, _ = write_pictures(tmp_path)
    assert predict(model_file, "--input_path", tmp_path / "images", "--output_path", tmp_path, "--ids") == 0
    found = cv2.imread(str(tmp_path / "1.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found, by_hand(model, images[1]))
    (tmp_path / "images/images").mkdir()
    (tmp_path / "images/0.png").rename(tmp_path / "images/images/1.png")
    before = (tmp_path / "images/1.png").read_bytes()
    capsys.readouterr()
    assert predict(model_file, "--input_path", tmp_path / "images", "--output_path", tmp_path) == 2
    line, = capsys.readouterr().err.splitlines()
    assert "images/1.png would be overwritten by a result" in line
    assert (tmp_path / "images/1.png").read_bytes() == before


def test_what_is_hidden_or_no_file_is_passed_over(tmp_path):
    write_pictures(tmp_path)
    images = tmp_path / "images"
    for folder in (".ipynb_checkpoints", "x.png", "out"):
        (images / folder).mkdir()
        (images / folder / "3.png").touch()
    (images / "._0.jpg").touch()
    found = [str(p.relative_to(images)) for p, _ in find_pictures(images, images / "out")]
    assert found == ["0.png", "1.png", "2.png", "x.png/3.png"]


def test_a_jpeg_has_a_largest_side(tmp_path, capfd):
    wide = np.zeros((1, 65501, 3), np.uint8)
    with pytest.raises(UsageError, match="a.jpg: 65501x1 pixels are too large for .jpg, .* .png takes it"):
        write_image(tmp_path / "a.jpg", wide)
    write_image(tmp_path / "a.png", wide)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"] and capfd.readouterr().err == ""
