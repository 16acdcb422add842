"""A run that version 0.1.0 left in the middle of an epoch (tests/fixtures/version_0_1/make.py) opens and goes on."""

import importlib.util
import shutil
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import yaml

from segnet_hpu.predict import model_from_checkpoint_path, predict
from segnet_hpu.train import train

# Keras' own format: what 3.15 wrote, with which the run was made, older releases cannot open.
pytestmark = pytest.mark.skipif(tuple(map(int, keras.version().split(".")[:2])) < (3, 15),
                                reason=f"Keras {keras.version()} cannot open what Keras 3.15 wrote")

HERE = Path(__file__).resolve().parents[1] / "fixtures/version_0_1"
FLAT = """
    --train_images=data/images --train_annotations=data/labels --val_images=data/images
    --val_annotations=data/labels --n_classes=3 --input_height=24 --input_width=32 --validate=true
    --encoder_weights=random --model_dir=run --epochs=3 --batch_size=2 --val_batch_size=3 --save_steps=2
    --keep_checkpoints=1 --seed=7 --class_names=sky,ground,box --palette=8080ff,40a040,c03030 --loss=dice
    --loss_smooth=2.0 --dice_squared --class_weights=1,2,1.5 --optimizer_name=sgd --momentum=0.8
    --learning_rate=0.05 --lr_schedule=poly --poly_power=0.7 --final_rate=0.1 --warmup_epochs=0.5
    --weight_decay=1e-4 --clipnorm=1 --accumulate=2 --ema=0.9 --l2=0.001 --do_augment
    --augmentation_name=standard,rotate=5 --clahe=0.25 --val_metrics=boundary --monitor=val_loss
    --early_stopping=9 --val_pictures=0 --threads=1 --train_engine=cpu
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The module that made the run; the run and its data are copied to the current folder."""
    shutil.copytree(HERE, tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there")
    spec = importlib.util.spec_from_file_location("make_version_0_1", HERE / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def expected():
    """What version 0.1.0 came to, {name: array}."""
    with np.load(HERE / "expected.npz") as file:
        return dict(file)


def arrays(expected, kind):
    return [expected[f"{kind}/{i}"] for i in range(sum(name.startswith(f"{kind}/") for name in expected))]


def test_its_model_answers_as_there(made, expected, tmp_path):
    assert len(np.unique(expected["classes"])) == 3
    np.testing.assert_array_equal(predict(inp="data/images/0.png", checkpoints_path="run"), expected["classes"])
    assert model_from_checkpoint_path("run").name == "small"
    # Names and colours are those of its checkpoint: sky is 8080ff.
    predict(inp="data/images/0.png", checkpoints_path="run", out_fname="out.png", prediction_width=32,
            prediction_height=24)
    sky = cv2.imread("out.png")[expected["classes"] == 0]
    assert len(sky) and (sky == (0xff, 0x80, 0x80)).all()


@pytest.mark.parametrize("settings", ["keywords", "config.yaml"])
def test_its_run_goes_on_to_the_same_weights(made, expected, settings):
    keywords = made.SETTINGS if settings == "keywords" else yaml.safe_load(Path("run/config.yaml").read_text())
    model = made.network()
    trained = []  # the weights after the last step: at the end the model is left with their averages

    def note(batch, logs=None):
        trained[:] = model.get_weights()

    # TensorFlow runs already: its number of threads stays.
    history = train(model, callbacks=keras.callbacks.LambdaCallback(on_train_batch_end=note),
                    **keywords | {"auto_resume_checkpoint": True, "threads": None}).history
    for ours, theirs in zip(trained, arrays(expected, "weights"), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    best = model_from_checkpoint_path("run/checkpoints/small.best.keras")
    for ours, theirs in zip(best.get_weights(), arrays(expected, "best"), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert history["step"] == [3, 6, 9]
    # Its loss and accuracy were those of an epoch's last step; the scores of validation were right.
    for name in ("val_loss", "val_mean_iou", "val_boundary_f1"):
        np.testing.assert_allclose(history[name], expected[f"history/{name}"], atol=1e-6)


def test_its_configuration_means_what_its_flags_mean(made, cli):
    read, flags = (cli("train", "--model_name=unet_mini", *argv, "--print_config")
                   for argv in (["--config", HERE / "run/config.yaml"], FLAT.split()))
    assert read.returncode == flags.returncode == 0, read.stderr + flags.stderr
    assert read.stdout == flags.stdout
    resolved = yaml.safe_load(read.stdout)
    assert {"dice", "poly", "sgd", 2.0, 0.7, 0.8, 0.05} <= set(values(resolved))


def values(tree):
    """Every single value of nested dicts and lists."""
    if isinstance(tree, dict | list):
        for one in tree.values() if isinstance(tree, dict) else tree:
            yield from values(one)
    else:
        yield tree
