"""Round trips pixel by pixel, through files that OpenCV alone reads back."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from segnet_hpu.data.convert import convert
from segnet_hpu.data.datasets import DataSet, Split, find, open_dataset
from segnet_hpu.data.datasets.description_writing import write_description
from segnet_hpu.data.file_pairs import pair_paths
from segnet_hpu.data.output_layout import require_writable
from segnet_hpu.data.source import DataSetSource
from segnet_hpu.errors import UsageError


def two_folders(place, n_classes, names=("aachen_000001_000019", "b_2", "c_3"), ending=".png"):
    """Pairs of noise with all ids and void; returns their source."""
    rng = np.random.default_rng(n_classes)
    for i, name in enumerate(names):
        for kind in ("i", "l"):
            (place / kind).mkdir(exist_ok=True)
        ids = rng.permutation(np.append(np.arange(n_classes), [255] * 10)).astype(np.uint8)
        cv2.imwrite(str(place / f"i/{name}{ending}"), rng.integers(0, 256, (5 + i, 40, 3), np.uint8))
        cv2.imwrite(str(place / f"l/{name}.png"), np.resize(ids, (5 + i, 40)))
    return DataSetSource(find("folder"), pair_paths(place / "i", place / "l"))


def raw(path):
    """A file's values as OpenCV has them, RGB where they are colours."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def same_pairs(ours, theirs, images=True):
    assert len(ours) == len(theirs) > 0
    for i in range(len(ours)):
        if images:
            np.testing.assert_array_equal(ours[i][0], theirs[i][0])
        np.testing.assert_array_equal(ours[i][1], theirs[i][1])


# name -> (classes, image format, what label b_2 holds for training ids [0, 3, last, void], its path)
LAYOUTS = {
    "camvid": (11, ".png", [0, 3, 10, 11], "valannot/b_2.png"),
    "cityscapes": (19, ".png", [7, 12, 33, 0], "gtFine/val/b/b_2_gtFine_labelIds.png"),
    "ade20k": (150, ".jpg", [1, 4, 150, 0], "annotations/validation/b_2.png"),
    "coco_stuff": (182, ".jpg", [0, 3, 181, 255], "stuffthingmaps/val2017/b_2.png"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_into_a_layout_and_back(tmp_path, name):
    n_classes, ending, values, label = LAYOUTS[name]
    source = two_folders(tmp_path, n_classes, ending=ending)
    assert convert(source, find(name), "val", tmp_path / "there") == 0
    written, ids = raw(tmp_path / "there" / label), source[1][1]
    for label_id, value in zip([0, 3, n_classes - 1, 255], values, strict=True):
        np.testing.assert_array_equal(written == value, ids == label_id)
    there = open_dataset(name, tmp_path / "there", "val")
    same_pairs(there, source)
    convert(there, find("folder"), "val", tmp_path / "back")
    same_pairs(open_dataset("folder", tmp_path / "back", "val"), source)


def test_voc_has_a_palette_a_list_and_jpeg(tmp_path):
    source = two_folders(tmp_path, 21)
    assert convert(source, find("voc"), "train", tmp_path / "there") == 3
    assert (tmp_path / "there/ImageSets/Segmentation/train.txt").read_text() == "aachen_000001_000019\nb_2\nc_3\n"
    same_pairs(open_dataset("voc", tmp_path / "there", "train"), source, images=False)
    # Colours as in the devkit's table: aeroplane, cat, the void outline.
    label = "there/SegmentationClass/b_2.png"
    for label_id, colour in ((0, (0, 0, 0)), (1, (128, 0, 0)), (8, (64, 0, 0)), (255, (224, 224, 192))):
        np.testing.assert_array_equal((raw(tmp_path / label) == colour).all(2), source[1][1] == label_id)
    image = pytest.importorskip("PIL.Image")
    with image.open(tmp_path / label) as indices:
        assert indices.mode == "P"
        np.testing.assert_array_equal(np.array(indices), source[1][1])


def test_kitti_road_in_colours(tmp_path):
    source = two_folders(tmp_path, 2, names=("um_000007", "uu_000001"))
    convert(source, find("kitti_road"), "train", tmp_path / "there")
    label = raw(tmp_path / "there/training/gt_image_2/um_road_000007.png")
    for label_id, colour in ((0, (255, 0, 0)), (1, (255, 0, 255)), (255, (0, 0, 0))):
        np.testing.assert_array_equal((label == colour).all(2), source[0][1] == label_id)
    same_pairs(open_dataset("kitti_road", tmp_path / "there", "trainval"), source)


def test_a_described_layout_with_16_bit_values(tmp_path):
    (tmp_path / "d.yaml").write_text("classes: [a, b]\nlabel_values: {a: 7, b: [300, 301]}\n"
                                     "splits: {train: {images: img/*/*_x.png, labels: lab/*/*.png}}\n")
    source = two_folders(tmp_path, 2)
    convert(source, find(str(tmp_path / "d.yaml")), "train", tmp_path / "there")
    label = raw(tmp_path / "there/lab/aachen/aachen_000001_000019.png")
    assert label.dtype == np.uint16
    np.testing.assert_array_equal(label, np.array([7, 300, *[255] * 254])[source[0][1]])
    same_pairs(open_dataset(str(tmp_path / "d.yaml"), tmp_path / "there", "train"), source)


@pytest.mark.parametrize("name, split, count", [("camvid", "val", 101), ("kitti_road", "trainval", 11),
                                                ("cityscapes", "val", 1)])
def test_real_data_there_and_back(real_data, tmp_path, name, split, count):
    source = open_dataset(name, real_data / name, split)
    chosen = range(0, count, 25)
    source.pairs = [source.pairs[i] for i in chosen]
    convert(source, find("folder"), split, tmp_path)
    write_description(tmp_path / "dataset.yaml", find(name), [split])
    described = find(str(tmp_path / "dataset.yaml"))
    assert described.class_names == find(name).class_names and described.n_classes == find(name).n_classes
    converted = open_dataset(str(tmp_path / "dataset.yaml"), None, split)
    same_pairs(converted, source)
    convert(converted, find(name), split, tmp_path / "there")
    for (image, label), (old_image, old_label) in zip(open_dataset(name, tmp_path / "there", split).pairs,
                                                      source.pairs, strict=True):
        np.testing.assert_array_equal(raw(image), raw(old_image))
        if name != "cityscapes":  # whose ignored ids all became 0
            np.testing.assert_array_equal(raw(label), raw(old_label))
        assert image.endswith(old_image[len(str(real_data / name)):])


def test_real_cityscapes_ids_by_the_published_train_ids(real_data, tmp_path):
    convert(open_dataset("cityscapes", real_data / "cityscapes", "val"), find("folder"), "val", tmp_path)
    (ours,) = (tmp_path / "annotations/val").iterdir()
    (theirs,) = (real_data / "cityscapes").rglob("*labelTrainIds.png")
    ours, theirs = raw(ours), raw(theirs)
    assert (ours == theirs).mean() > 0.997  # the sample's two label files were shrunk apart, and differ along borders
    for label_id in np.unique(ours):
        assert np.bincount(theirs[ours == label_id]).argmax() == label_id


def test_real_ade20k_labels_come_back_as_published(real_data, tmp_path):
    pairs = pair_paths(real_data / "ade20k/images", real_data / "ade20k/annotations")
    convert(DataSetSource(find("ade20k"), pairs), find("ade20k"), "val", tmp_path)
    assert len(pairs) == 3
    for image, label in pairs:
        copy = tmp_path / "annotations/validation" / label.rpartition("/")[2]
        np.testing.assert_array_equal(raw(copy), raw(label))
        copy = tmp_path / "images/validation" / image.rpartition("/")[2]
        assert copy.read_bytes() == Path(image).read_bytes()


def test_an_id_that_the_layout_does_not_have(tmp_path):
    source = two_folders(tmp_path, 12)
    with pytest.raises(UsageError, match="l/aachen.*png holds the training id 11, which camvid does not have"):
        convert(source, find("camvid"), "val", tmp_path / "there")


def test_names_that_would_be_one_file_or_do_not_fit(tmp_path):
    source = two_folders(tmp_path, 2, names=("b_2",))
    convert(source, find("kitti_road"), "train", tmp_path / "there")
    with pytest.raises(UsageError, match="two pairs would both be training/image_2/b_2.png"):
        convert(source, find("kitti_road"), "val", tmp_path / "there")
    with pytest.raises(UsageError, match="plain does not fit into training/image_2.*with 1 _ or more"):
        convert(two_folders(tmp_path / "l", 2, names=("plain",)), find("kitti_road"), "val", tmp_path / "there")


def test_labels_that_a_data_set_reads_in_its_own_way_cannot_be_written():
    class Masks(DataSet):
        def read_label(self, path):
            return raw(path) // 255

    with pytest.raises(UsageError, match="--to masks: it reads labels in a way of its own, read_label,"):
        require_writable(Masks("masks", ("background", "thing"), None, {"train": Split("i", "l")}))
    require_writable(find("kitti_road"))  # files of its own choice, labels as any


OUTSIDE = {
    "labels above": {"images": "i/*.png", "labels": "../*.png"},
    "images above": {"images": "x/../../*.png", "labels": "l/*.png"},
    "list above": {"images": "i/*.png", "labels": "l/*.png", "listed": "../precious.txt"},
    "folders above": {"images": "../i", "labels": "../l"},
    "at the root": {"images": "/i/*.png", "labels": "{}/*.png"},
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_is_written_outside_of_the_folder(tmp_path, name):
    """Whatever a description says, which may come from elsewhere."""
    source = two_folders(tmp_path, 3)
    patterns = {kind: text.format(tmp_path) for kind, text in OUTSIDE[name].items()}
    layout = DataSet("theirs", ("a", "b", "c"), None, {"train": Split(**patterns)})
    (tmp_path / "precious.txt").write_text("precious")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="--to theirs: .* would lie outside --out"):
        convert(source, layout, "train", tmp_path / "out")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("patterns", [("x/*.png", "x/*.png", None), ("x/*.png", "y/*.png", "x/b_2.png"),
                                      ("x/*.png", "x/./*.png", None)])
def test_labels_and_lists_that_would_be_the_images(tmp_path, patterns):
    layout = DataSet("theirs", ("a", "b", "c"), None, {"train": Split(*patterns)})
    with pytest.raises(UsageError, match="two files would both be x/"):
        convert(two_folders(tmp_path, 3), layout, "train", tmp_path / "out")
