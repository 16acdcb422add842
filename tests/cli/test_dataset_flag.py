"""Data sets by name on the command line: train, judge, verify and draw, from one generated Cityscapes."""

import json

import cv2
import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.cli import main
from segnet_hpu.data.classes import CLASS_NAMES, palette
from segnet_hpu.errors import UsageError

NET = "--model_name vanilla_segnet --input_height 32 --input_width 64 --encoder_weights random --train_engine cpu"

CITY = """
classes: [flat, other]
palette: [[10, 20, 30], [200, 100, 50]]
root: data
label_values: {flat: [7, 8], void: 0}
others: other
splits:
  val: {images: "leftImg8bit/val/*/*_leftImg8bit.png", labels: "gtFine/val/*/*_gtFine_labelIds.png"}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a tiny Cityscapes in `data`, and a run of one step on it in `run`."""
    folder = tmp_path_factory.mktemp("named")
    made.cityscapes(folder / "data")
    (folder / "city.yaml").write_text(CITY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        status = main(["train", "--dataset", "cityscapes", "--data_root", "data", "--class_weights",
                       "median_frequency", "--epochs", "1", "--steps_per_epoch", "1", "--model_dir", "run",
                       *NET.split()])
    assert status == 0
    return folder


@pytest.fixture
def run(place, monkeypatch, capsys):
    """Run a command in the folder; return (status, stdout, stderr)."""
    monkeypatch.chdir(place)

    def judge(*argv):
        status = main([str(word) for word in argv])
        done = capsys.readouterr()
        return status, done.out, done.err
    return judge


def test_the_data_set_brings_classes_names_and_validation(place):
    import yaml

    kept = yaml.safe_load((place / "run/config.yaml").read_text())
    assert {"n_classes": 19, "palette": "cityscapes", "ignore_label": 255, "validate": True}.items() <= kept.items()
    assert kept["class_names"].split(",") == list(CLASS_NAMES["cityscapes"])
    report = json.loads((place / "run/evaluation.json").read_text())
    labels = [cv2.imread(str(path), 0) for path in place.glob("data/gtFine/val/*/*_labelIds.png")]
    road = sum(np.count_nonzero(label == 7) for label in labels)
    assert [entry["pixels"] for entry in report["per_class"] if entry["name"] == "road"] == [road]


def test_evaluation_agrees_with_the_run_s_own(run, place):
    status, out, _ = run("evaluate_model", "--checkpoints_path", "run", "--dataset", "cityscapes", "--data_root",
                         "data", "--json", "scores.json", "--train_engine", "cpu")
    assert status == 0 and "traffic light" in out
    ours, theirs = (json.loads((place / name).read_text()) for name in ("scores.json", "run/evaluation.json"))
    assert ours == theirs


def test_evaluation_refuses_other_classes(run):
    status, _, err = run("evaluate_model", "--checkpoints_path", "run", "--dataset", "city.yaml")
    assert status == 2 and "has 19 classes, --dataset city 2; expected" in err and err.count("\n") == 1


def test_verify_counts_both_splits_and_finds_a_fault(run, place):
    argv = ["verify_dataset", "--dataset", "cityscapes", "--data_root", "data"]
    assert run(*argv)[:2] == (0, "4 pairs, no faults\n")
    label = next(place.glob("data/gtFine/val/bonn/*_labelIds.png"))
    good = label.read_bytes()
    made.write(label, made.values((24, 40), 7, 77))
    status, out, _ = run(*argv)
    assert status == 1 and f"{label.relative_to(place)} holds the value 77" in out and "1 fault in 4 pairs" in out
    label.write_bytes(good)


def test_drawing_in_the_data_set_s_colours(run, place):
    status, out, _ = run("visualize_dataset", "--dataset", "cityscapes", "--data_root", "data", "--out", "grid.png")
    assert (status, out) == (0, "grid.png\n")
    sheet = cv2.imread(str(place / "grid.png"))[..., ::-1].reshape(-1, 3)
    seen = {tuple(colour) for colour in np.unique(sheet, axis=0).tolist()}
    assert {tuple(colour) for colour in palette("cityscapes", 19).tolist()} <= seen


def test_names_of_one_s_own_in_the_drawing(run):
    argv = ["visualize_dataset", "--dataset", "city.yaml", "--out", "names.png", "--class_names"]
    assert run(*argv, "street,rest")[:2] == (0, "names.png\n")
    status, _, err = run(*argv, "street")
    assert status == 2 and "--class_names 'street' holds 1 names; expected 2" in err


def test_the_expected_tree_on_stderr(run, place):
    status, out, err = run("train", "--dataset", "cityscapes", "--data_root", place, *NET.split())
    lines = err.splitlines()
    assert status == 2 and out == "" and "Traceback" not in err
    assert lines[0] == (f"segnet-hpu: --dataset cityscapes: {place} has no folder leftImg8bit/train; it seems to lie "
                        f"in {place}/data: give that as --data_root")
    assert "          *_gtFine_labelIds.png" in lines and "      leftImg8bit/" in lines


def test_a_yaml_file_in_place_of_a_name(run, place):
    assert run("verify_dataset", "--dataset", "city.yaml")[:2] == (0, "2 pairs, no faults\n")
    assert run("visualize_dataset", "--dataset", "city.yaml", "--out", "city.png")[0] == 0
    sheet = cv2.imread(str(place / "city.png"))[..., ::-1].reshape(-1, 3)
    assert {(10, 20, 30), (200, 100, 50)} <= {tuple(colour) for colour in np.unique(sheet, axis=0).tolist()}
    # What training settles on, without training: colours and names stand in its configuration.
    status, out, _ = run("train", "--dataset", "city.yaml", "--train_split", "val", "--print_config", *NET.split())
    assert status == 0 and "palette: 0a141e,c86432" in out and "class_names: flat,other" in out


def test_flags_win_over_the_data_set(run):
    status, out, _ = run("train", "--dataset", "cityscapes", "--data_root", "data", "--palette", "ade20k",
                         "--validate", "false", "--ignore_label", "3", "--print_config", *NET.split())
    assert status == 0 and "palette: ade20k\n" in out and "validate: false" in out and "ignore_label: 3\n" in out


@pytest.mark.parametrize("flags, validate", [
    ("", "false"), ("--val_images c --val_annotations d", "true"),
    ("--val_images c --val_annotations d --validate false", "false")])
def test_folders_to_validate_on_are_wish_enough(run, flags, validate):
    status, out, _ = run("train", "--n_classes", 2, "--train_images", "a", "--train_annotations", "b",
                         "--print_config", *flags.split(), *NET.split())
    assert status == 0 and f"validate: {validate}\n" in out


def test_from_python(place, monkeypatch):
    import keras

    from segnet_hpu.train import train

    monkeypatch.chdir(place)
    image = keras.Input((16, 24, 3))
    model = keras.Model(image, keras.layers.Conv2D(19, 1)(keras.layers.Rescaling(1 / 255)(image)), name="tiny")
    common = dict(dataset="cityscapes", data_root="data", model_dir="python", train_engine="cpu", steps_per_epoch=1)
    with pytest.raises(UsageError, match="train_images does not go with dataset cityscapes"):
        train(model, "images", **common)
    # Road is left out as well: no pixel of it is judged.
    history = train(model, epochs=1, ignore_label=0, **common)
    assert history.history["val_mean_iou"][0] is not None
    report = json.loads((place / "python/evaluation.json").read_text())
    assert report["per_class"][0]["pixels"] == 0 < report["per_class"][1]["pixels"]


def test_evaluation_refuses_the_same_classes_in_another_order(run, place):
    names = list(CLASS_NAMES["cityscapes"])
    names[:2] = names[1::-1]
    values = ", ".join(f"{name}: {i}" for i, name in enumerate(names))
    (place / "turned.yaml").write_text(f"classes: [{', '.join(names)}]\nlabel_values: {{{values}}}\nothers: void\n"
                                       + CITY[CITY.index("root:"):].replace(CITY.split("\n")[4], "")
                                       .replace("others: other\n", ""))
    argv = ["evaluate_model", "--checkpoints_path", "run", "--dataset", "turned.yaml", "--train_engine", "cpu"]
    status, _, err = run(*argv)
    assert status == 2 and "has class 0 road, --dataset turned sidewalk; expected" in err and err.count("\n") == 1
    assert run(*argv, "--class_names", ",".join(names))[0] == 0  # deliberately
