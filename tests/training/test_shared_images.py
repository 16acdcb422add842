"""Images that are trained with and validated with are told."""

import pytest

from segnet_hpu import config
from segnet_hpu.runtime.ranks.alone import Alone
from segnet_hpu.training.settings import Settings
from segnet_hpu.training.sources import open_sources
from toy import write_toy


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("described", [True, False])
def test_validation_within_the_training_folders(tmp_path, capsys, beside, described):
    """Subfolders belong to a folder, so that images/ has those of images/val/ too."""
    write_toy(tmp_path / "toy", 3)
    for kind in ("images", "labels"):
        train = tmp_path / f"data/{kind}" / ("train" if beside else "")
        (tmp_path / f"data/{kind}/val").mkdir(parents=True)
        train.mkdir(exist_ok=True)
        for i, path in enumerate(sorted((tmp_path / "toy" / kind).iterdir())):
            path.rename((tmp_path / f"data/{kind}/val" if i == 0 else train) / path.name)
    end = "/train" if beside else ""
    (tmp_path / "d.yaml").write_text(
        f"classes: [a, b, c]\nroot: data\nsplits: {{train: {{images: images{end}, labels: labels{end}}}, "
        "val: {images: images/val, labels: labels/val}}\n")
    data = {"dataset": str(tmp_path / "d.yaml")} if described else {
        "train_images": f"{tmp_path}/data/images{end}", "train_annotations": f"{tmp_path}/data/labels{end}",
        "val_images": f"{tmp_path}/data/images/val", "val_annotations": f"{tmp_path}/data/labels/val"}
    settings = config.from_values(Settings, model_name="unet_mini", n_classes=3, validate=True, **data)
    train_source, validation = open_sources(settings, Alone())
    assert (len(train_source), len(validation)) == (2 if beside else 3, 1)
    assert ("1 of 1 images for validation are trained with as well" in capsys.readouterr().err) != beside
