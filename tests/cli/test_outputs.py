"""No output takes the place of what people gave or made themselves."""

import json
import os
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from judging import DISTRIBUTED, PREDICT, TRAIN, VERIFY, VISUALIZE, contents
from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.evaluation.tables import named_scores
from segnet_hpu.files import refuse_replacing, write_image
from segnet_hpu.inference.video_files import VideoReader, VideoWriter
from segnet_hpu.signature import GENERATOR, signed
from segnet_hpu.training.run_folder import RunFolder

LABELLED = "--images_path images --segs_path labels "
COCO = {"images": [{"id": 1, "file_name": "a.png", "height": 20, "width": 24}], "annotations": [], "categories": []}
CONFIG = {"model_class": "unet_mini", "n_classes": 2, "input_height": 32, "input_width": 32}
TUNE = TRAIN.replace("train", "tune", 1) + "--validate --val_images images --val_annotations labels "

# What is not to be lost.
INPUTS = ("images/a.png", "labels/a.png", "model.keras", "model_config.json", "net.h5", "net.caffemodel", "set.yaml",
          "config.yaml", "list.txt", "annotations.json", "page.html", "photo.jpg")
# A command, and where its output's name goes.
OUTPUTS = {
    "predict": PREDICT + "--input_path images/b.png --output_path {}",
    "predict with ids": PREDICT + "--input_path images/b.png --output_path {} --ids",
    "evaluate": f"evaluate_model --checkpoints_path model.keras {LABELLED} --json {{}}",
    "evaluate's curve": f"evaluate_model --checkpoints_path model.keras {LABELLED} --metrics road --curve {{}}",
    "verify": VERIFY + "--json {}",
    "verify a data set": "verify_dataset --dataset set.yaml --json {}",
    "visualize": VISUALIZE + "--out {}",
    "inspect": "dataset inspect . --out {}",
    "stats": f"dataset stats {LABELLED} --out {{}}",
    "models": "models --json {}",
    "plot": "models --name unet_mini --plot {}",
    "split": f"dataset split {LABELLED} --val 1 --out {{}}",
    "convert": f"dataset convert {LABELLED} --out {{}}",
    "augment": f"dataset augment {LABELLED} --out {{}}",
    "samples": "sample_data --n 2 --out {}",
    "prepare": "prepare_data --dataset1 none.zip --out {}",
    "export": "export --checkpoints_path model.keras --format keras --out {}",
    "import": "import_caffe --caffemodel net.caffemodel --model unet_mini --n_classes 2 --out {}",
    "video": "predict_video --checkpoints_path model.keras --input_path movie.avi --output_path {}",
    "dump": TRAIN + "--dump_config {}",
    "timeline": DISTRIBUTED + "--num_workers 2 --timeline {}",
    "search": TUNE + "--space space.yaml --out {}",
}


@pytest.fixture
def full(place):
    """The folder of commands with one file of each kind."""
    texts = {"model_config.json": json.dumps(CONFIG), "annotations.json": json.dumps(COCO), "list.txt": "a\nb\n",
             "set.yaml": "classes: [a, b]\nsplits: {train: {images: images, labels: labels}}\n",
             "config.yaml": "epochs: 3\n", "space.yaml": "learning_rate: {choices: [0.1, 0.01]}\n",
             "page.html": "<!doctype html>\n<p>mine"}
    for name, text in texts.items():
        (place / name).write_text(text)
    for name in ("model.keras", "net.h5", "net.caffemodel", "movie.avi"):
        (place / name).write_bytes(name.encode() + bytes(range(256)))
    cv2.imwrite("photo.jpg", np.zeros((20, 24, 3), np.uint8))
    return place


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_output_aimed_at_an_input(output, full, capsys):
    before = contents(full)
    for target in INPUTS:
        status = main(shlex.split(OUTPUTS[output].format(target)))
        err = capsys.readouterr().err
        assert status == 2 and target in err and "error of ours" not in err, (target, status, err)
        assert contents(full) == before, target


FOLDERS = {
    "predict over the truth": PREDICT + "--output_path labels",
    "predict over the pictures": PREDICT + "--output_path images",
    "demo": f"demo --checkpoints_path model.keras {LABELLED} --out mine",
    "demo among labels": "demo --checkpoints_path model.keras --images_path images --out labels",
    "demo among pictures": f"demo --checkpoints_path model.keras {LABELLED} --out photos",
    "demo among what is read": "demo --checkpoints_path model.keras --images_path shots --out results",
    "search": TUNE + "--space space.yaml --out mine",
    "search over what it reads": TUNE + "--space mine/best.yaml --out mine",
    "a link out of the results": PREDICT + "--output_path linked",
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_with_files_of_those_names(name, full, refused):
    (full / "mine").mkdir()
    for file in ("sheet.png", "report.html", "trials.csv"):
        (full / "mine" / file).write_text("mine")
    shutil.copy("space.yaml", "mine/best.yaml")
    for folder in ("elsewhere", "linked", "photos", "results", "shots"):
        (full / folder).mkdir()
    shutil.copy("photo.jpg", "photos")
    write_image("results/a.png", np.zeros((4, 4), np.uint8))
    (full / "shots/c.png").symlink_to("../results/a.png")
    (full / "linked/sub").symlink_to(full / "elsewhere")
    if "linked" in FOLDERS[name]:
        (full / "images/sub").mkdir()
        cv2.imwrite("images/sub/c.png", np.zeros((4, 4, 3), np.uint8))
    refused(FOLDERS[name], [])


def test_a_run_in_a_folder_with_files_of_those_names(place, settings):
    (place / "mine/pictures").mkdir(parents=True)
    with pytest.raises(UsageError, match="mine holds pictures, and no run; choose another --model_dir"):
        RunFolder.of(settings(model_dir="mine"), "net").check(resume=False)
    (place / "mine/config.yaml").touch()
    (place / "mine/checkpoints").mkdir()
    (place / "mine/checkpoints/net_config.json").touch()
    RunFolder.of(settings(model_dir="mine"), "net").check(resume=True)


def test_devices_pipes_and_other_names_of_an_input(full, refused):
    os.mkfifo("pipe.json")
    os.link("labels/a.png", "second.png")
    os.symlink("labels/a.png", "third.png")
    for target, words in (("pipe.json", "is no regular file"), ("second.png", "one of the pictures"),
                          ("third.png", "one of the pictures")):
        command = VERIFY + "--json " if target == "pipe.json" else VISUALIZE + "--out "
        refused(command + target, [target, words])


def test_what_is_read_is_no_result_though_it_was_one(full, refused):
    """A picture that this package drew and that now is a label; settings that a search wrote."""
    write_image("labels/a.png", np.zeros((20, 24), np.uint8))
    refused(VISUALIZE + "--out labels/a.png", ["--out labels/a.png is one of the pictures and files that are read"])
    main(shlex.split(TRAIN + "--print_config"))
    (full / "c.yaml").write_text("epochs: 3\ntrain_annotations: labels\n")
    refused(TRAIN + "--config c.yaml --dump_config c.yaml", ["--dump_config c.yaml is one of", "choose another name"])


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_video_takes_the_place_of_none_but_earlier_results(full, refused, suffix):
    command = f"predict_video --checkpoints_path model.keras --input_path movie.avi --output_path mine{suffix}"
    shutil.copy("movie.avi", f"mine{suffix}")
    refused(command, [f"mine{suffix} exists, and was not written by this package", "--overwrite"])
    os.remove(f"mine{suffix}")
    with VideoWriter(f"mine{suffix}", 5) as writer:
        for grey in range(0, 250, 50):
            writer.write(np.full((32, 48, 3), grey, np.uint8))
    refuse_replacing("--output_path", f"mine{suffix}")
    frames = np.array(list(VideoReader(f"mine{suffix}")), int)
    assert frames.shape == (5, 32, 48, 3) and np.abs(frames.mean((1, 2, 3)) - range(0, 250, 50)).max() < 6


AGAIN = {"again.png": VISUALIZE + "--out again.png", "again.jpg": VISUALIZE + "--out again.jpg",
         "stats.json": f"dataset stats {LABELLED} --out stats.json", "faults.json": VERIFY + "--json faults.json",
         "models.json": "models --json models.json"}


@pytest.mark.parametrize("path", AGAIN)
def test_an_earlier_result_is_replaced_and_anything_with_overwrite(path, full, capsys):
    for before in (None, "an earlier one", "foreign"):
        if before == "foreign":
            (full / path).write_text("mine")
            assert main(shlex.split(AGAIN[path])) == 2 and (full / path).read_text() == "mine"
            assert "or replace it with --overwrite" in capsys.readouterr().err
        flags = ["--overwrite"] if before == "foreign" else []
        assert main([*shlex.split(AGAIN[path]), *flags]) == 0
        assert (full / path).stat().st_size > 20


FOREIGN = {"coco.json": '{"images": [], "annotations": [], "pixels": 3}', "list.json": '[{"ph": 1, "encoder": 2}]',
           "scores.json": '{"team": "a", "mean_iou": 0.5, "faults": 0}',
           "own.yaml": "epochs: 3\ntrain_annotations: labels\n"}
OURS = {"timeline.json": '[\n{"name": "process_name", "ph": "M", "pid": 0, "args": {"name": "a"}},\n',
        "best.yaml": "# Trial 3 of the search in s: validation mean IoU 0.5000. ...\nmodel_name: fcn_8\n",
        "config.yaml": "# Settings of a training, written by segnet_hpu.\nmodel_name: fcn_8\n",
        "scores.json": json.dumps(named_scores(ConfusionMatrix(2), "ab"), indent=2)}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_with_some_of_our_keys_are_not_ours(tmp_path, name):
    (tmp_path / name).write_text(FOREIGN[name])
    with pytest.raises(UsageError, match="was not written by this package"):
        refuse_replacing("--out", tmp_path / name)


@pytest.mark.parametrize("name", OURS)
def test_text_files_of_ours_are_known_by_how_they_begin(tmp_path, name):
    (tmp_path / name).write_text(OURS[name])
    refuse_replacing("--out", tmp_path / name)


def test_a_signed_picture_is_a_sound_one(tmp_path):
    """Another decoder reads it too, and finds who wrote it."""
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    for name, key, value in (("a.png", "Software", "segnet_hpu"), ("a.jpg", "comment", b"segnet_hpu")):
        write_image(tmp_path / name, pixels)
        with image.open(tmp_path / name) as opened:
            opened.load()
            assert opened.info[key] == value
            found = np.asarray(opened)
        assert np.abs(found.astype(int) - pixels).max() == 0 if name == "a.png" else found.shape == pixels.shape


OTHERS = {"evaluate": ("config.yaml", "settings of a training"),
          "evaluate's curve": ("scores.json", "scores"),
          "verify": ("timeline.json", "a timeline"),
          "visualize": ("page.html", "a page"),
          "stats": ("scores.json", "scores"),
          "models": ("best.yaml", "settings of a search"),
          "plot": ("timeline.json", "a timeline"),
          "predict": ("config.yaml", "settings of a training"),
          "dump": ("best.yaml", "settings of a search"),
          "timeline": ("scores.json", "scores")}


@pytest.mark.parametrize("output", OTHERS)
def test_a_result_of_another_kind_is_not_replaced(output, full, refused):
    """Not the settings of a run by scores, though this package wrote both."""
    name, words = OTHERS[output]
    target = "x.png" if output in ("evaluate's curve", "visualize", "plot", "predict") else name
    text = f"<!doctype html>\n{GENERATOR}" if name == "page.html" else OURS[name]
    (full / target).write_text(text)
    refused(OUTPUTS[output].format(target), [f"{target} exists, and holds {words}; choose another name"])


@pytest.mark.parametrize("name", ["evaluation.json", "config.yaml", "pictures/a.png"])
def test_what_the_run_of_a_model_wrote_is_an_input(name, full, refused):
    (full / "run/checkpoints").mkdir(parents=True)
    (full / "run/pictures").mkdir()
    shutil.copy("model.keras", "run/checkpoints/net.best.keras")
    (full / "run/config.yaml").write_text(OURS["config.yaml"])
    (full / "run/evaluation.json").write_text(OURS["scores.json"])
    write_image("run/pictures/a.png", np.zeros((4, 4), np.uint8))
    flag = "--metrics road --curve" if name.endswith("png") else "--json"
    command = f"evaluate_model --checkpoints_path run {LABELLED} {flag} run/{name}"
    refused(command, [f"run/{name} is one of the pictures and files that are read"])
    if name.endswith("png"):
        refused(PREDICT.replace("model.keras", "run") + "--input_path images/a.png --output_path run/pictures",
                [f"run/{name} is one of the pictures and files that are read"])


def rewritten(path, pixels):
    """Save a picture with other pixels as editors do: with all the text that its file had."""
    image, png = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.PngImagePlugin")
    with image.open(path) as opened:
        info = png.PngInfo()
        for key, text in opened.info.items():
            if path.endswith("png"):
                info.add_text(key, text)
    image.fromarray(pixels).save(path, pnginfo=info)
    if path.endswith("jpg"):
        data = (place := Path(path)).read_bytes()
        place.write_bytes(signed(data)[:-2] + b"\0" + data[-2:])


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_result_that_was_edited_is_its_editors(name, full, refused):
    """Masks that were predicted, then corrected by hand: the editor keeps who wrote them first."""
    (full / "out").mkdir()
    pixels = np.full((20, 24), 2, np.uint8)
    write_image(f"out/{name}", pixels)
    refuse_replacing("--output_path", f"out/{name}")
    pixels[:10] = 90
    rewritten(f"out/{name}", pixels)
    assert b"segnet_hpu checksum" in Path(f"out/{name}").read_bytes()
    refused(PREDICT + f"--input_path images/a.png --output_path out/{name}",
            [f"out/{name} exists, and was not written by this package, or was edited since", "--overwrite"])


def test_a_picture_of_earlier_versions_is_a_result(tmp_path):
    """They bear the name alone."""
    write_image(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    data = (tmp_path / "a.png").read_bytes()
    begin = data.index(b"tEXtsegnet_hpu checksum") - 4
    (tmp_path / "a.png").write_bytes(data[:begin] + data[data.index(b"tEXtSoftware") - 4:])
    refuse_replacing("--out", tmp_path / "a.png", kinds=("a picture",))
