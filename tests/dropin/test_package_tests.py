"""What keras_segmentation's own tests demand (test/ of its repository), asked of ours."""

import itertools
import random

import cv2
import numpy as np
import pytest

from flip import Fliplr, install
from segnet_hpu.data_utils import data_loader
from segnet_hpu.models import all_models
from segnet_hpu.predict import evaluate, predict, predict_multiple
from segnet_hpu.train import find_latest_checkpoint
from toy import write_toy

SIDE = 4  # pixels of the pictures, whose values are all different


@pytest.fixture
def folders(tmp_path):
    """Two empty folders, of images and of labels."""
    for name in ("images", "segs"):
        (tmp_path / name).mkdir()
    return tmp_path / "images", tmp_path / "segs"


def touch(folders, images, segs):
    for folder, names in zip(folders, (images, segs), strict=True):
        for name in names.split():
            (folder / name).touch()


@pytest.mark.parametrize("images,segs,expected", [
    ("A.jpg B.jpg C.jpeg D.png", "A.png B.png C.png D.png", "A.jpg B.jpg C.jpeg D.png"),
    ("A.jpg B.jpg C.jpeg D.png E.txt", "A.png B.png C.png D.png E.png", "A.jpg B.jpg C.jpeg D.png"),
    ("A.jpg B.jpg C.jpeg D.png D.jpg", "A.png B.png C.png D.png", "A.jpg B.jpg C.jpeg D.jpg D.png"),
    ("A.jpg B.jpg C.jpeg D.png", "A.png B.png C.png D.png D.jpg", "A.jpg B.jpg C.jpeg D.png"),
])
def test_pairs(folders, images, segs, expected):
    touch(folders, images, segs)
    pairs = [(str(folders[0] / name), str(folders[1] / f"{name.split('.')[0]}.png")) for name in expected.split()]
    assert sorted(data_loader.get_pairs_from_paths(*folders)) == pairs


def test_an_image_without_label(folders):
    touch(folders, "A.jpg B.jpg C.jpeg D.png", "A.png B.png C.png")
    with pytest.raises(data_loader.DataLoaderError, match="D.png has no label"):
        data_loader.get_pairs_from_paths(*folders)
    pairs = data_loader.get_pairs_from_paths(*folders, ignore_non_matching=True)
    assert sorted(image.rsplit("/", 1)[1] for image, _ in pairs) == ["A.jpg", "B.jpg", "C.jpeg"]


def test_the_latest_checkpoint(tmp_path):
    prefix = str(tmp_path / "test1")
    assert find_latest_checkpoint(prefix) is None
    with pytest.raises(ValueError):
        find_latest_checkpoint(prefix, False)
    for suffix in ("0", "2", "4", "12", "_config.json", "ABC"):
        open(f"{prefix}.{suffix}", "a").close()
    assert find_latest_checkpoint(prefix) == f"{prefix}.12"


@pytest.fixture
def pictures(tmp_path):
    """Four folders with train.png and train2.png: images, labels and two of further inputs; all values differ."""
    paths = [tmp_path / name for name in ("images", "labels", "other", "other2")]
    for i, folder in enumerate(paths):
        folder.mkdir()
        for j, name in enumerate(("train.png", "train2.png")):
            first = 16 * j if i < 2 else 16 * (2 * i - 2 + j)  # a label's ids are its image's values
            cv2.imwrite(str(folder / name), np.arange(first, first + SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE))
    return paths


def samples(pictures, others, **options):
    """Yield (batch of one, paths of its pictures, label's path), one round of the generator."""
    others = [str(folder) for folder in others] or None
    pairs = data_loader.get_pairs_from_paths(*pictures[:2], other_inputs_paths=others)
    random.seed(0)
    random.shuffle(pairs)
    random.seed(0)
    batches = data_loader.image_segmentation_generator(*pictures[:2], 1, 32, SIDE, SIDE, SIDE, SIDE,
                                                       other_inputs_paths=others, **options)
    for batch, (image, label, *further) in zip(itertools.islice(batches, 2), pairs, strict=True):
        yield batch, [image, *itertools.chain(*further)], label


def array(path):
    return data_loader.get_image_array(path, SIDE, SIDE, ordering="channels_last")


@pytest.mark.parametrize("others", [0, 2])
def test_an_augmenter_changes_all_inputs_alike(pictures, others, monkeypatch):
    install(monkeypatch)
    for (x, y), paths, label in samples(pictures, pictures[2:2 + others], do_augment=True,
                                        custom_augmentation=Fliplr):
        found = x[0] if others else x
        np.testing.assert_array_equal(found, [array(path)[:, ::-1] for path in paths])
        np.testing.assert_array_equal(y[0].argmax(-1).reshape(SIDE, SIDE), cv2.imread(label, 0)[:, ::-1])


@pytest.mark.parametrize("others", [0, 2])
@pytest.mark.parametrize("added", [0, 1, (1, 2, 3)])
def test_preprocessing(pictures, others, added):
    if isinstance(added, tuple) and not others:
        pytest.skip("one function an input")
    amounts = added if isinstance(added, tuple) else (added,) * (1 + others)
    functions = [lambda image, amount=amount: image + amount for amount in amounts]
    for (x, _), paths, _ in samples(pictures, pictures[2:2 + others],
                                    preprocessing=functions if isinstance(added, tuple) else functions[0]):
        found = x[0] if others else x
        expected = [array(path) + amount for path, amount in zip(paths, amounts, strict=True)]
        np.testing.assert_array_equal(found, expected)


def test_verify(tmp_path, capsys):
    assert data_loader.verify_segmentation_dataset(*write_toy(tmp_path / "toy", 3), 50)


@pytest.mark.parametrize("augment", [False, True])
def test_batches(tmp_path, augment):
    images, labels = write_toy(tmp_path / "toy", 3, size=(45, 60))
    x, y = next(data_loader.image_segmentation_generator(
        images_path=images, segs_path=labels, batch_size=3, n_classes=50, input_height=224, input_width=324,
        output_height=114, output_width=134, do_augment=augment))
    assert x.shape == (3, 224, 324, 3) and y.shape == (3, 114 * 134, 50)


def test_a_model_from_training_to_scores(tmp_path, monkeypatch):
    """There with fcn_8, whose checkpoints are large; a second training needs a prefix of its own here."""
    monkeypatch.chdir(tmp_path)
    images, labels = write_toy(tmp_path / "toy", 3, size=(45, 60))
    height, width, n_classes = 32, 64, 100
    model = all_models.model_from_name["unet_mini"](n_classes, input_height=height, input_width=width)
    model.train(train_images=str(images), train_annotations=str(labels), steps_per_epoch=2, epochs=2,
                checkpoints_path="first")
    history = model.train(train_images=str(images), train_annotations=str(labels), steps_per_epoch=2, epochs=2,
                          checkpoints_path="second", augmentation_name="aug_geometric", do_augment=True)
    assert len(history.history["loss"]) == 2
    black = np.zeros((height, width, 3))
    assert model.predict_segmentation(black).shape == (height, width)
    assert len(predict_multiple(inp_dir=str(images), checkpoints_path="second", out_dir="drawn")) == 3
    assert len(predict_multiple(inps=[black] * 3, checkpoints_path="second", out_dir="black")) == 3
    expected = predict(inp=black, checkpoints_path="second")
    drawn = predict(inp=black, checkpoints_path="second", overlay_img=True, class_names=["nn"] * n_classes,
                    show_legends=True)
    np.testing.assert_array_equal(drawn, expected)
    for scores in (model.evaluate_segmentation(inp_images_dir=str(images), annotations_dir=str(labels)),
                   evaluate(inp_images_dir=str(images), annotations_dir=str(labels), checkpoints_path="second")):
        assert scores["frequency_weighted_IU"] > 0.01
