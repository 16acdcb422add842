"""Data for training runs."""

import pytest

from toy import write_toy


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Settings that name a toy data set of ten training and three validation images."""
    folder = tmp_path_factory.mktemp("toy")
    images, labels = write_toy(folder / "train", 10)
    val_images, val_labels = write_toy(folder / "val", 3, seed=1)
    return dict(train_images=images, train_annotations=labels, validate=True, val_images=val_images,
                val_annotations=val_labels, n_classes=3, input_height=32, input_width=48, model_name="vgg_segnet",
                encoder_weights="random", train_engine="cpu", model_dir="run")
