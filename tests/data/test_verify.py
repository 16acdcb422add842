import cv2
import numpy as np
import pytest

from made_png import png
from segnet_hpu.data.verify import verify_pairs
from segnet_hpu.errors import UsageError

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)
LABEL = RNG.integers(0, 3, (20, 30)).astype(np.uint8)


class DataSet:
    """Two folders with three faultless pairs a, b, c, to be spoilt."""

    def __init__(self, folder):
        self.images, self.labels = folder / "images", folder / "labels"
        for directory, pixels in ((self.images, IMAGE), (self.labels, LABEL)):
            directory.mkdir()
            for stem in "abc":
                cv2.imwrite(str(directory / f"{stem}.png"), pixels)

    def label(self, pixels, name="b.png"):
        cv2.imwrite(str(self.labels / name), pixels)

    def faults(self, n_classes=3, ignore_label=None):
        return verify_pairs(self.images, self.labels, n_classes, ignore_label)

    def only_fault(self, **arguments):
        (fault,) = self.faults(**arguments)
        return fault


@pytest.fixture
def data(tmp_path):
    return DataSet(tmp_path)


def test_faultless(data):
    assert data.faults() == []


@pytest.mark.parametrize("folder", ["images", "labels"])
@pytest.mark.parametrize("content, what", [
    (b"", "is empty"),
    (b"no image at all", "is no image"),
    (png(LABEL)[:-20], "is truncated"),
    (png(LABEL)[:-30] + b"\0" + png(LABEL)[-29:], "is damaged"),
    (png(LABEL, width=0), "is of zero size"),
    (cv2.imencode(".jpg", IMAGE)[1].tobytes()[:-40], "is truncated"),
])
def test_file_that_cannot_be_used(data, folder, content, what):
    path = getattr(data, folder) / "b.png"
    path.write_bytes(content)
    fault = data.only_fault()
    assert fault.file == str(path) and what in fault.what and "copy it anew" in fault.fix


def test_size_mismatch(data):
    data.label(LABEL[:10])
    fault = data.only_fault()
    assert fault.file.endswith("labels/b.png") and "nearest neighbour" in fault.fix
    assert fault.what.startswith("is 30x10 but") and fault.what.endswith("images/b.png is 30x20")


def test_ids_outside_with_their_pixel_counts(data):
    label = LABEL.copy()
    label[0, :5], label[1, :2] = 3, 11
    data.label(label)
    fault = data.only_fault()
    assert fault.what == "holds ids outside 0..2: 3 (5 pixels), 11 (2 pixels)" and "--n_classes" in fault.fix
    assert "3 (5 pixels)" in data.only_fault(ignore_label=11).what
    assert data.faults(n_classes=4, ignore_label=11) == []


def test_many_ids_are_cut_short(data):
    data.label(np.arange(600, dtype=np.uint16).reshape(20, 30))
    assert data.only_fault().what.endswith("10 (1 pixels) and 589 more")


def test_mask_of_0_and_255(data):
    mask = np.where(LABEL > 0, 255, 0).astype(np.uint8)
    data.label(mask)
    fault = data.only_fault(n_classes=3)
    assert fault.what == f"is a mask of 0 and 255 ({np.count_nonzero(mask)} pixels)"
    assert "convert 255 to 1" in fault.fix
    assert data.faults(ignore_label=255) == []


def test_with_any_ignore_label_255_is_void_too(data):
    label = LABEL.copy()
    label[0, :5], label[1, :2] = 255, 11
    data.label(label)
    assert data.faults(ignore_label=11) == []
    assert "11 (2 pixels), 255 (5 pixels)" in data.only_fault().what


def test_data_set_whose_foreground_is_ignored(data):
    for name in ("a.png", "b.png", "c.png"):
        data.label(np.where(LABEL > 0, 255, 0), name)
    for ignored in (255, 11):
        fault = data.only_fault(n_classes=2, ignore_label=ignored)
        assert fault.file == str(data.labels) and "only masks of 0 and 255" in fault.what


def test_grey_mask_of_two_classes(data):
    for name in ("a.png", "c.png"):
        data.label(LABEL % 2, name)
    data.label(np.where(LABEL > 1, 255, LABEL * 100))
    assert "mask > 127" in data.only_fault(n_classes=2).fix


def test_coloured_mask(data):
    colours = np.array([[0, 0, 0], [0, 0, 128], [0, 128, 0]], np.uint8)
    data.label(colours[LABEL])  # blue is 0 everywhere: without the check, one class
    fault = data.only_fault()
    assert "coloured mask (3 colours" in fault.what and "map each colour" in fault.fix


def test_colour_files_that_hold_ids(data):
    data.label(np.dstack([LABEL] * 3), "a.png")
    data.label(np.dstack([LABEL, LABEL * 0, LABEL * 0]), "b.png")
    assert data.faults() == []


def test_palette_labels_hold_indices(data):
    (data.labels / "b.png").write_bytes(png(LABEL, 8, 3, bytes([0, 0, 0, 128, 0, 0, 0, 128, 0])))
    assert data.faults() == []


@pytest.mark.parametrize("name", ["b.jpg", "b.png"])
def test_label_stored_as_jpeg(data, name):
    (data.labels / "b.png").unlink()
    (data.labels / name).write_bytes(cv2.imencode(".jpg", LABEL)[1].tobytes())
    fault = data.only_fault()
    assert fault.file == str(data.labels / name) and "is a JPEG" in fault.what and "PNG" in fault.fix


def test_missing_partners_in_both_directions(data):
    (data.labels / "a.png").unlink()
    (data.images / "c.png").unlink()
    first, second = data.faults()
    assert first.file == str(data.images / "a.png") and first.what == f"has no label in {data.labels}"
    assert second.file == str(data.labels / "c.png") and second.what == f"has no image in {data.images}"


@pytest.mark.parametrize("folder", ["images", "labels"])
def test_duplicate_stem(data, folder):
    directory = getattr(data, folder)
    cv2.imwrite(str(directory / "b.bmp"), IMAGE if folder == "images" else LABEL)
    fault = data.only_fault()
    assert fault.file == str(directory / "b.png") and fault.what == "shares its stem with b.bmp"


def test_all_faults_are_listed_in_order(data):
    (data.images / "a.png").write_bytes(b"")
    data.label(LABEL + 3, "a.png")
    data.label(LABEL[:9], "c.png")
    assert [(f.file[-12:], f.what[:10]) for f in data.faults()] == [
        ("images/a.png", "is empty, "), ("labels/a.png", "holds ids "), ("labels/c.png", "is 30x9 bu")]


def test_folders_that_cannot_be_compared(data, tmp_path):
    with pytest.raises(UsageError, match="both images and labels"):
        verify_pairs(data.images, data.images, 3)
    with pytest.raises(UsageError, match="nowhere: cannot be read"):
        verify_pairs(data.images, tmp_path / "nowhere", 3)


@pytest.mark.parametrize("folders, n_classes, ignore_label, count", [
    (("camvid/val", "camvid/valannot"), 11, 11, 0),
    (("camvid/val", "camvid/valannot"), 11, None, 101),
    (("nuclei/images", "nuclei/masks"), 2, None, 300),
    (("ade20k/images", "ade20k/annotations"), 151, None, 0),
])
def test_real_data_sets(real_data, folders, n_classes, ignore_label, count):
    faults = verify_pairs(*(real_data / folder for folder in folders), n_classes, ignore_label)
    assert len(faults) == count
