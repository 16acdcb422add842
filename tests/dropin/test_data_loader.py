"""keras_segmentation's data_loader, against values worked out here."""

import importlib
import random
import sys
import types

import cv2
import numpy as np
import pytest

from segnet_hpu.compat.keras_segmentation.inputs import Inputs, StackedInputs
from segnet_hpu.data.source import FolderSource
from segnet_hpu.data_utils import data_loader as loader
from segnet_hpu.errors import UsageError
from toy import write_toy


@pytest.fixture
def toy(tmp_path):
    return write_toy(tmp_path / "toy", 4, size=(32, 48))


def batches(toy, n, **options):
    generator = loader.image_segmentation_generator(*toy, 2, 3, 32, 48, 16, 24, **options)
    return [next(generator) for _ in range(n)]


def test_image_arrays():
    image = np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8)
    wide = cv2.resize(image, (8, 4)).astype(np.float64)
    rgb = wide[:, :, ::-1] - [123.68, 116.779, 103.939]
    for norm, expected in (("sub_mean", rgb), ("divide", wide / 255), ("sub_and_divide", wide / 127.5 - 1)):
        array = loader.get_image_array(image, 8, 4, norm, "channels_last")
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, expected, atol=2e-5)
        np.testing.assert_array_equal(loader.get_image_array(image, 8, 4, norm).transpose(1, 2, 0), array)
    grey = loader.get_image_array(image[:, :, 0], 20, 10, ordering="channels_last")
    np.testing.assert_allclose(grey[:, :, 0], image[:, :, 0] - 103.939, atol=2e-5)


def test_image_array_of_a_file_is_that_of_its_pixels(toy):
    path = next(toy[0].iterdir())
    pixels = cv2.imread(str(path))
    np.testing.assert_array_equal(loader.get_image_array(path, 48, 32), loader.get_image_array(pixels, 48, 32))
    grey = loader.get_image_array(str(path), 48, 32, "divide", "channels_last", read_image_type=0)
    np.testing.assert_allclose(grey[:, :, 0] * 255, cv2.imread(str(path), 0), atol=1e-3)


def test_segmentation_arrays(tmp_path):
    label = np.array([[0, 1], [2, 9]], np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), label)
    expected = [[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 0]]]  # 9 is no class
    for given in (tmp_path / "a.png", label, np.dstack([label, label * 0, label])):
        np.testing.assert_array_equal(loader.get_segmentation_array(given, 3, 2, 2, no_reshape=True), expected)
        np.testing.assert_array_equal(loader.get_segmentation_array(given, 3, 2, 2), np.reshape(expected, (4, 3)))


def test_pairs(toy, tmp_path):
    images, labels = toy
    expected = sorted((str(images / f"{i}.png"), str(labels / f"{i}.png")) for i in range(4))
    assert sorted(loader.get_pairs_from_paths(images, labels)) == expected
    image, label, others = loader.get_pairs_from_paths(images, labels, other_inputs_paths=[labels, images])[0]
    assert others == [label, image]
    (labels / "2.png").unlink()
    assert len(loader.get_pairs_from_paths(images, labels, ignore_non_matching=True)) == 3
    with pytest.raises(loader.DataLoaderError, match=r"2.png has no label"):
        loader.get_pairs_from_paths(images, labels)
    (labels / "1.bmp").write_bytes(b"")
    with pytest.raises(loader.DataLoaderError, match="share a stem"):
        loader.get_pairs_from_paths(images, labels, ignore_non_matching=True)
    with pytest.raises(loader.DataLoaderError, match="nowhere: cannot be read"):
        loader.get_pairs_from_paths(tmp_path / "nowhere", labels)
    with pytest.raises(loader.DataLoaderError, match="a.png does not exist"):
        loader.get_image_array("a.png", 2, 2)


def test_batches_follow_the_global_random(toy):
    random.seed(5)
    pairs = loader.get_pairs_from_paths(*toy)
    random.shuffle(pairs)
    random.seed(5)
    for step, (x, y) in enumerate(batches(toy, 3)):
        assert x.shape == (2, 32, 48, 3) and y.shape == (2, 16 * 24, 3)
        for j in range(2):
            image, label = (cv2.imread(path) for path in pairs[(2 * step + j) % 4])
            np.testing.assert_array_equal(x[j], loader.get_image_array(image, 48, 32, ordering="channels_last"))
            np.testing.assert_array_equal(y[j].argmax(-1), cv2.resize(label[:, :, 0], (24, 16), None, 0, 0,
                                                                      cv2.INTER_NEAREST).ravel())


def test_importing_leaves_the_global_random_alone():
    state = random.getstate()
    importlib.reload(loader)
    assert random.getstate() == state


def test_other_inputs_images_only_and_preprocessing(toy):
    halve = [lambda image: image, lambda image: image // 2]
    (x, _), = batches(toy, 1, other_inputs_paths=[toy[0]], preprocessing=halve)
    assert x.shape == (2, 2, 32, 48, 3)
    means = np.array([123.68, 116.779, 103.939])
    np.testing.assert_allclose(x[:, 1] + means, np.rint(x[:, 0] + means) // 2, atol=1e-3)
    x = batches((toy[0], None), 1, ignore_segs=True)[0]
    assert x.shape == (2, 32, 48, 3)


@pytest.mark.parametrize("name", ["aug_all", "aug_all2", "aug_geometric", "aug_non_geometric"])
def test_presets_change_image_and_label_together(toy, name):
    random.seed(1)
    plain = batches(toy, 2)
    random.seed(1)
    changed = batches(toy, 2, do_augment=True, augmentation_name=name, other_inputs_paths=[toy[0]])
    x, y = changed[0]
    assert not np.allclose(x[:, 0], plain[0][0])
    # A second input that equals the first stays equal: both are changed alike.
    np.testing.assert_array_equal(x[:, 0], x[:, 1])
    assert np.isin(y.sum(-1), (0, 1)).all()
    if name == "aug_non_geometric":
        np.testing.assert_array_equal(y, plain[0][1])


def test_presets_change_grey_pictures_too(toy):
    random.seed(1)
    plain = batches(toy, 1, read_image_type=0)
    random.seed(1)
    (x, y), = batches(toy, 1, read_image_type=0, do_augment=True, augmentation_name="aug_all")
    assert x.shape == (2, 32, 48, 1) and not np.allclose(x, plain[0][0])
    random.seed(1)
    (_, coloured), = batches(toy, 1, do_augment=True, augmentation_name="aug_all")
    np.testing.assert_array_equal(y, coloured)


def test_a_function_of_image_and_mask(toy):
    random.seed(1)
    (x, y), = batches(toy, 1)
    random.seed(1)
    (turned, turned_y), = batches(toy, 1, do_augment=True, custom_augmentation=lambda i, m: (i[::-1], m[::-1]))
    np.testing.assert_array_equal(turned[:, ::-1], x)
    assert (turned_y.reshape(2, 16, 24, 3)[:, ::-1] == y.reshape(2, 16, 24, 3)).mean() > 0.9
    with pytest.raises(loader.DataLoaderError, match="could not change all inputs alike"):
        batches(toy, 1, do_augment=True, custom_augmentation=lambda i, m: (i, m), other_inputs_paths=[toy[0]])


def test_a_function_that_returns_an_augmenter(toy, monkeypatch):
    """The augmenter is imgaug's by its protocol; the real one is tried in test_real_package.py."""
    class Segments:
        def __init__(self, mask, shape):
            assert shape[:2] == mask.shape
            self.mask = mask

        def get_arr(self):
            return self.mask

    class Upside:
        def to_deterministic(self):
            return self

        def augment_image(self, image):
            return image[::-1]

        def augment_segmentation_maps(self, maps):
            return Segments(maps.mask[::-1], maps.mask.shape)

    segmaps = types.ModuleType("imgaug.augmentables.segmaps")
    segmaps.SegmentationMapsOnImage = Segments
    monkeypatch.setitem(sys.modules, "imgaug", types.ModuleType("imgaug"))
    monkeypatch.setitem(sys.modules, "imgaug.augmentables", types.ModuleType("imgaug.augmentables"))
    monkeypatch.setitem(sys.modules, "imgaug.augmentables.segmaps", segmaps)
    random.seed(1)
    (x, _), = batches(toy, 1)
    random.seed(1)
    (turned, _), = batches(toy, 1, do_augment=True, custom_augmentation=Upside)
    np.testing.assert_array_equal(turned[:, ::-1], x)


def test_custom_augmentation_refusals(toy, monkeypatch):
    monkeypatch.setitem(sys.modules, "imgaug", None)
    augmenter = types.SimpleNamespace(to_deterministic=None)
    for custom, message in ((lambda: augmenter, "needs imgaug"), (lambda: 3, "returned a int"), (7, "is a int")):
        with pytest.raises(UsageError, match=message):
            batches(toy, 1, do_augment=True, custom_augmentation=custom)


def test_verify(toy, capsys):
    assert loader.verify_segmentation_dataset(*toy, 3)
    assert not loader.verify_segmentation_dataset(*toy, 2, show_all_errors=True)
    assert capsys.readouterr().out.count("holds ids outside 0..1: 2") == 4
    assert not loader.verify_segmentation_dataset(toy[0], toy[0] / "nowhere", 2)


def test_pairs_are_those_of_every_command(toy, capsys):
    """Subfolders that both have, no second file of an earlier format; what is left out is told."""
    images, labels = toy
    for i in (2, 3):
        for folder in toy:
            (folder / "sub").mkdir(exist_ok=True)
            (folder / f"{i}.png").rename(folder / f"sub/{i}.png")
    (images / "1.tif").write_bytes(b"")
    (labels / "1.jpg").write_bytes(b"")
    (images / ".hidden.png").write_bytes(b"")
    found = loader.get_pairs_from_paths(images, labels)
    names = ["0.png", "1.png", "sub/2.png", "sub/3.png"]
    assert sorted(found) == [(str(images / name), str(labels / name)) for name in names]
    assert [image for image, _ in found[2:]] == [str(images / name) for name in names[2:]]
    err = capsys.readouterr().err
    assert f"not read in {images}: 1 .tif (1.tif)" in err and f"not read in {labels}: 1 .jpg (1.jpg)" in err
    assert [others for *_, others in sorted(loader.get_pairs_from_paths(*toy, other_inputs_paths=[images]))] == [
        [str(images / name)] for name in names]
    generator = loader.image_segmentation_generator(images, "", 5, 3, 32, 48, 16, 24, ignore_segs=True)
    assert len({image.tobytes() for image in next(generator)}) == 4
    with pytest.raises(UsageError, match="given for both images and labels"):
        loader.get_pairs_from_paths(images, images)


def test_batches_of_contradicting_palettes_are_refused(tmp_path):
    """Class 1 is red in the one label and green in the other: verify refuses the two together."""
    image = pytest.importorskip("PIL.Image")
    ids = np.arange(32 * 48, dtype=np.uint8).reshape(32, 48) % 3
    for stem, colours in (("a", [0, 0, 0, 255, 0, 0, 0, 255, 0]), ("b", [0, 0, 0, 0, 255, 0, 255, 0, 0])):
        label = image.fromarray(ids, "P")
        label.putpalette(colours)
        for folder, picture in (("images", image.fromarray(ids * 80)), ("labels", label)):
            (tmp_path / folder).mkdir(exist_ok=True)
            picture.save(tmp_path / folder / f"{stem}.png")
    folders = tmp_path / "images", tmp_path / "labels"
    assert not loader.verify_segmentation_dataset(*folders, 3)
    with pytest.raises(UsageError, match="has the colour"):
        batches(folders, 1)


def test_further_inputs_of_subfolders(tmp_path):
    """To sub/a belongs sub/a of the other folder, not the a that lies above it."""
    for k, name in enumerate(("images/a", "images/sub/a", "other/a", "other/sub/a")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((8, 8, 3), 10 * k, np.uint8))
    for name in ("labels/a", "labels/sub/a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((8, 8), np.uint8))
    source = StackedInputs(FolderSource(tmp_path / "images", tmp_path / "labels"),
                           Inputs(other_inputs_paths=[tmp_path / "other"]))
    assert sorted(np.unique(source[i].image).tolist() for i in range(2)) == [[0, 20], [10, 30]]
