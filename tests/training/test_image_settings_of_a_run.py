"""A run notes how its image files were read, and what uses it later reads them alike."""

import json
from pathlib import Path

import cv2
import made_tagged
import numpy as np
import pytest
import yaml

from segnet_hpu.cli import main
from segnet_hpu.compat.keras_segmentation.evaluate import evaluate
from segnet_hpu.compat.keras_segmentation.predict import predict
from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.load import load
from segnet_hpu.train import train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """12-bit pictures with an orientation tag, labels over the pixels as stored, and a run on them."""
    folder = tmp_path_factory.mktemp("run")
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    for i in range(2):
        label = cv2.circle(np.zeros((24, 32), np.uint8), (8 + 9 * i, 12), 6, 1, -1)
        deep = np.dstack([label.astype(np.uint16) * 3000 + 500] * 3)
        (folder / f"images/{i}.png").write_bytes(made_tagged.png(deep, 6))
        cv2.imwrite(str(folder / f"labels/{i}.png"), label)
    (folder / "d.yaml").write_text(yaml.safe_dump({
        "classes": ["a", "b"], "orientation": "as_stored", "image_range": "0-4095",
        "splits": {name: {"images": "images", "labels": "labels"} for name in ("train", "val")}}))
    train("unet_mini", dataset=str(folder / "d.yaml"), input_height=32, input_width=32, epochs=1, validate=False,
          model_dir=str(folder / "run"))
    return folder


def test_the_run_notes_it(folder):
    assert load(folder / "run").input_coding.files == ImageCoding("as_stored", (0, 4095))
    noted = yaml.safe_load((folder / "run/config.yaml").read_text())
    assert (noted["orientation"], noted["image_range"]) == ("as_stored", [0, 4095])


def test_folders_are_evaluated_alike_without_flags(folder, tmp_path, capsys):
    where = ["evaluate_model", "--checkpoints_path", str(folder / "run"), "--json", str(tmp_path / "scores.json")]
    folders = ["--images_path", str(folder / "images"), "--segs_path", str(folder / "labels")]
    assert main([*where, *folders]) == 0
    found = json.loads((tmp_path / "scores.json").read_text())
    assert main([*where, "--dataset", str(folder / "d.yaml"), "--overwrite"]) == 0
    assert json.loads((tmp_path / "scores.json").read_text()) == found
    assert main([*where, *folders, "--orientation", "upright", "--overwrite"]) == 2
    assert "as stored" in capsys.readouterr().err
    drop_in = evaluate(checkpoints_path=str(folder / "run"), inp_images_dir=str(folder / "images"),
                       annotations_dir=str(folder / "labels"))
    assert drop_in["mean_IU"] == pytest.approx(found["mean_iou"])


def test_predictions_and_sheets_are_made_alike(folder, tmp_path):
    predict(checkpoints_path=str(folder / "run"), inp=str(folder / "images/0.png"), out_fname=str(tmp_path / "a.png"))
    assert cv2.imread(str(tmp_path / "a.png")).shape == (24, 32, 3)
    assert main(["demo", "--checkpoints_path", str(folder / "run"), "--images_path", str(folder / "images"), "--out",
                 str(tmp_path / "demo")]) == 0


def test_a_run_refuses_what_it_would_read_wrongly(folder):
    options = dict(n_classes=2, train_images=str(folder / "images"), train_annotations=str(folder / "labels"),
                   input_height=32, input_width=32, epochs=1, model_dir=str(folder / "other"))
    with pytest.raises(UsageError, match=r"images/0\.png holds values up to 3500"):
        train("unet_mini", **options)
    with pytest.raises(UsageError, match="the label lies over the pixels as stored"):
        train("unet_mini", image_range="0-4095", **options)
    assert not Path(folder / "other").exists()
