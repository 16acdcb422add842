import cv2
import numpy as np
import pytest

from segnet_hpu.data.file_pairs import pair_paths
from segnet_hpu.data.source import FolderSource
from segnet_hpu.errors import UsageError


@pytest.fixture
def folders(tmp_path):
    """(images, labels), each an empty folder."""
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    return tmp_path / "images", tmp_path / "labels"


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


def test_pairs_by_stem_in_any_case_of_suffix(folders):
    images, labels = folders
    touch(images, "b.JPG", "a.png", "c.d.jpeg", "z.bmp", "._a.png", "notes.txt")
    touch(labels, "a.bmp", "b.PNG", "c.d.png", "z.png", "._spare.png", "a.txt")
    assert pair_paths(images, labels) == [(str(images / i), str(labels / m)) for i, m in (
        ("a.png", "a.bmp"), ("b.JPG", "b.PNG"), ("c.d.jpeg", "c.d.png"), ("z.bmp", "z.png"))]


def test_image_without_label(folders):
    touch(folders[0], "a.png", "b.png", "c.png")
    touch(folders[1], "a.png", "c.jpg", "d.png")  # a JPEG is told as such, when it is read
    with pytest.raises(UsageError, match=r"b\.png has no label in .*labels; add b\.png or .*\(and 1 more"):
        pair_paths(*folders)


def test_label_without_image_is_refused_as_verify_dataset_does(folders):
    touch(folders[0], "a.png")
    touch(folders[1], "a.png", "spare.png")
    with pytest.raises(UsageError, match=r"labels/spare\.png has no image in .*images; add spare\.jpg"):
        pair_paths(*folders)


@pytest.mark.parametrize("doubled", [0, 1])
def test_two_files_of_one_stem(folders, doubled):
    touch(folders[0], "a.png")
    touch(folders[1], "a.png")
    touch(folders[doubled], "a.bmp")
    with pytest.raises(UsageError, match=r"a\.png shares its stem with a\.bmp; keep one"):
        pair_paths(*folders)


def test_missing_empty_or_same_folder(folders, tmp_path):
    images, labels = folders
    with pytest.raises(UsageError, match="images holds no such file; expected a folder of .jpg"):
        pair_paths(images, labels)
    touch(images, "a.png")
    with pytest.raises(UsageError, match="labels holds no such file; expected a folder of .png .bmp .tif .tiff"):
        pair_paths(images, labels)
    with pytest.raises(UsageError, match="nowhere: cannot be read .No such file"):
        pair_paths(images, tmp_path / "nowhere")
    with pytest.raises(UsageError, match="Not a directory"):
        pair_paths(images / "a.png", labels)
    with pytest.raises(UsageError, match="both images and labels"):
        pair_paths(images, tmp_path / "labels" / ".." / "images")


def test_source_gives_image_and_label(folders):
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    label = image[:, :, 0] % 5
    cv2.imwrite(str(folders[0] / "x.png"), image[:, :, ::-1])
    cv2.imwrite(str(folders[1] / "x.png"), label)
    source = FolderSource(*folders)
    assert len(source) == 1 and source.name(0) == "x"
    np.testing.assert_array_equal(source[0][0], image)
    np.testing.assert_array_equal(source[0][1], label)


def test_source_refuses_a_label_of_another_size(folders):
    cv2.imwrite(str(folders[0] / "x.png"), np.zeros((6, 8, 3), np.uint8))
    cv2.imwrite(str(folders[1] / "x.png"), np.zeros((3, 4), np.uint8))
    with pytest.raises(UsageError, match=r"labels/x\.png is 4x3 but .*images/x\.png is 8x6"):
        FolderSource(*folders)[0]


def test_camvid_is_read_as_published(real_data):
    source = FolderSource(real_data / "camvid/val", real_data / "camvid/valannot")
    image, label = source[0]
    assert len(source) == 101 and image.shape == (360, 480, 3) and label.shape == (360, 480)
    assert set(np.unique(label)) <= set(range(12))
