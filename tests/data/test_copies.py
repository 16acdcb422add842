import cv2
import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.augmented_copies import write_copies
from segnet_hpu.data.datasets import find, open_dataset
from segnet_hpu.data.file_pairs import pair_paths
from segnet_hpu.data.source import DataSetSource
from segnet_hpu.data.transforms.colour import recolour
from segnet_hpu.errors import UsageError


@pytest.fixture
def source(tmp_path):
    """Two pairs of different sizes, whose red is 20 times the label in large blocks."""
    for kind in ("i", "l"):
        (tmp_path / kind).mkdir()
    for name, size in (("a", (60, 90)), ("b", (45, 80))):
        coarse = np.random.default_rng(len(name)).integers(0, 12, (6, 8), np.uint8)
        label = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(tmp_path / f"l/{name}.png"), label)
        cv2.imwrite(str(tmp_path / f"i/{name}.png"), np.dstack([label * 20] * 3))
    return DataSetSource(find("folder"), pair_paths(tmp_path / "i", tmp_path / "l"))


def read(out, name):
    return (cv2.imread(str(out / f"images/train/{name}.png"))[..., ::-1],
            cv2.imread(str(out / f"annotations/train/{name}.png"), cv2.IMREAD_UNCHANGED))


def test_originals_and_as_many_copies_as_asked_for(source, tmp_path):
    write_copies(source, "train", tmp_path / "out", 3, Augmentation.preset("strong"))
    for kind in ("images", "annotations"):
        names = sorted(path.name for path in (tmp_path / f"out/{kind}/train").iterdir())
        assert names == sorted(f"{stem}{copy}.png" for stem in "ab" for copy in ("", "_aug1", "_aug2", "_aug3"))
    assert (tmp_path / "out/images/train/a.png").read_bytes() == (tmp_path / "i/a.png").read_bytes()
    np.testing.assert_array_equal(read(tmp_path / "out", "b")[1], source[1][1])


def test_labels_follow_and_sizes_stay(source, tmp_path):
    write_copies(source, "train", tmp_path / "out", 8, Augmentation.preset("aug_geometric"))
    seen = set()
    for k in range(1, 9):
        image, label = read(tmp_path / "out", f"b_aug{k}")
        assert label.shape == image.shape[:2] == (45, 80)
        framed = cv2.copyMakeBorder(label, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=255)
        kernel = np.ones((5, 5), np.uint8)
        sure = (cv2.erode(framed, kernel) == cv2.dilate(framed, kernel))[2:-2, 2:-2] & (label != 255)
        assert sure.sum() > 100
        np.testing.assert_allclose(image[..., 0][sure], label[sure] * 20.0, atol=2)
        seen |= set(np.unique(label).tolist())
        assert not any(np.array_equal(label, read(tmp_path / "out", f"b_aug{j}")[1]) for j in range(1, k))
    assert 255 in seen and seen <= {*range(12), 255}


def test_same_seed_same_files(source, tmp_path):
    for out, seed in (("one", 5), ("two", 5), ("three", 6)):
        write_copies(source, "train", tmp_path / out, 2, Augmentation.preset("strong"), seed)
    files = [{str(p.relative_to(tmp_path / out)): p.read_bytes() for p in (tmp_path / out).rglob("*.png")}
             for out in ("one", "two", "three")]
    assert files[0] == files[1] and files[0] != files[2] and files[0].keys() == files[2].keys()


def test_void_is_255_whatever_its_id_was(source, tmp_path):
    write_copies(source.ignoring(3), "train", tmp_path / "out", 1, Augmentation(shift=0.3))
    label, copy = read(tmp_path / "out", "a")[1], read(tmp_path / "out", "a_aug1")[1]
    np.testing.assert_array_equal(label, np.where(source[0][1] == 3, 255, source[0][1]))
    assert 3 not in copy and (copy == 255).sum() > (label == 255).sum()


def test_mirror_is_every_second_copy_of_real_roads(real_data, tmp_path):
    """The recipe of FCN-8s for KITTI Road: the image and its mirror, Y of YUV times 0.7 to 1.3."""
    source = open_dataset("kitti_road", real_data / "kitti_road", "val")
    source.pairs = source.pairs[:1]
    write_copies(source, "train", tmp_path, 2, Augmentation.preset("kitti"), mirror=True)
    for i in range(len(source)):
        image, label = source[i]
        for copy, turn in (("_aug1", np.s_[:, :]), ("_aug2", np.s_[:, ::-1])):
            changed, ids = read(tmp_path, source.name(i) + copy)
            np.testing.assert_array_equal(ids, label[turn])
            inside = ((changed > 0) & (changed < 255)).all(2)
            old, new = (cv2.cvtColor(x, cv2.COLOR_RGB2YUV)[inside].astype(float) for x in (image[turn], changed))
            factor = (new[:, 0] @ old[:, 0]) / (old[:, 0] @ old[:, 0])
            assert 0.7 <= factor <= 1.3 and abs(factor - 1) > 0.01
            np.testing.assert_allclose(new[:, 0], factor * old[:, 0], atol=2)
            np.testing.assert_allclose(new[:, 1:], old[:, 1:], atol=2)


def test_luma_is_y_of_yuv():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    y = image @ [0.299, 0.587, 0.114]
    expected = np.clip(image + 0.25 * y[..., None], 0, 255)  # U and V stay, so all three channels rise alike
    assert np.abs(recolour(image.copy(), luma=1.25) - expected).max() <= 1


def test_names_that_copies_would_take(source, tmp_path):
    (tmp_path / "i/a_aug2.png").write_bytes((tmp_path / "i/a.png").read_bytes())
    (tmp_path / "l/a_aug2.png").write_bytes((tmp_path / "l/a.png").read_bytes())
    again = DataSetSource(find("folder"), pair_paths(tmp_path / "i", tmp_path / "l"))
    write_copies(again, "train", tmp_path / "one", 1, Augmentation())
    with pytest.raises(UsageError, match="a_aug2 is there already, the name of a copy of a;"):
        write_copies(again, "train", tmp_path / "two", 2, Augmentation())


def test_pairs_of_one_name_are_refused_before_anything_is_written(tmp_path):
    """a/b_c and a_b/c are both a_b_c where the folders stand in the name, for which two stems are alike."""
    (tmp_path / "yard.yaml").write_text("classes: [soil, plant]\n"
                                        "splits: {train: {images: im/*/*.png, labels: lb/*/*.png}}")
    for pair in ("a/b_c", "a_b/c", "d/c"):
        for kind in ("im", "lb"):
            made.write(tmp_path / f"{kind}/{pair}.png", np.zeros((4, 4), np.uint8))
    source = open_dataset(str(tmp_path / "yard.yaml"), None, "train")
    with pytest.raises(UsageError, match="two pairs would both be a_b_c; "):
        write_copies(source, "train", tmp_path / "out", 1, Augmentation())
    assert not (tmp_path / "out").exists()


def test_a_function_of_ones_own_comes_first(source, tmp_path):
    def darker(image, mask, rng):
        return image // 2, np.where(mask == 3, rng.integers(4, 6, dtype=np.uint8), mask)

    write_copies(source, "train", tmp_path / "out", 2, Augmentation(), seed=5, mirror=True, custom=darker)
    image, label = source[0]
    for k in (1, 2):
        expected = darker(image, label, np.random.default_rng([5, 0, k]))
        found = read(tmp_path / "out", f"a_aug{k}")
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs if k == 1 else theirs[:, ::-1])


def test_copies_whose_ids_are_no_class_are_refused(source, tmp_path):
    def blurred(image, mask):
        return image, cv2.blur(mask * 20, (5, 5))

    with pytest.raises(UsageError, match=r"augmentation blurred: .*ids outside 0\.\.11: "):
        write_copies(source, "train", tmp_path / "out", 1, Augmentation(), custom=blurred, n_classes=12)
