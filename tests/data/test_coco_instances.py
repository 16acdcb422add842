"""21 classes out of COCO's instance annotations: masks, which annotation wins, which images are kept."""

import json

import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.data.datasets import open_dataset, rle
from segnet_hpu.data.verify import verify_split
from segnet_hpu.errors import UsageError

PERSON, DOG, SOFA, GIRAFFE = 1, 18, 63, 25  # category ids; Pascal VOC's classes 15, 12, 18 and none


def annotation(category, segmentation, area, image=1, crowd=0):
    return {"id": 9, "image_id": image, "category_id": category, "segmentation": segmentation, "area": area,
            "iscrowd": crowd, "bbox": [0, 0, 1, 1]}


def box(left, top, right, bottom):
    return [[left, top, right, top, right, bottom, left, bottom]]


def runs(mask):
    """A mask's run lengths down its columns, counted one by one."""
    counts, value = [0], False
    for pixel in mask.T.ravel():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"counts": counts, "size": list(mask.shape)}


def test_run_lengths_go_down_the_columns():
    expected = [[0, 0, 1], [1, 0, 0], [1, 0, 0]]
    np.testing.assert_array_equal(rle.decode([1, 2, 3, 1, 2], 3, 3), expected)


def test_compressed_run_lengths_as_pycocotools_writes_them():
    small = np.zeros((5, 7), bool)
    small[1:4, 2:6] = small[0, 0] = small[4, 6] = True
    np.testing.assert_array_equal(rle.decode("01:2H000003N", 5, 7), small)
    # Counts of several characters, and negative differences.
    large = np.zeros((100, 6), bool)
    large[10:90, 1:5] = True
    large[40:45, 2] = False
    for text in ("^3`2d0^NA??S100j2", b"^3`2d0^NA??S100j2"):
        np.testing.assert_array_equal(rle.decode(text, 100, 6), large)


def test_run_lengths_of_any_mask_come_back():
    rng = np.random.default_rng(0)
    for density in (0, 0.1, 0.9, 1):
        mask = rng.random((13, 17)) < density
        np.testing.assert_array_equal(rle.decode(runs(mask)["counts"], 13, 17), mask)


@pytest.mark.parametrize("text, words", [("01:2H000003~", "character '~'"), ("01:2H00000P", "end within a number")])
def test_damaged_text_of_run_lengths(text, words):
    with pytest.raises(ValueError, match=words):
        rle.decode(text, 5, 7)


def test_categories_of_one_s_own_are_not_taken_for_coco_s(tmp_path):
    images = made.coco_images(tmp_path, (60, 60))
    made.instances(tmp_path, images, [annotation(1, box(5, 5, 55, 55), 2500)])
    file = tmp_path / "annotations/instances_val2017.json"
    listed = json.loads(file.read_text())
    for categories, words in (([{"id": 1, "name": "crack"}], "1 is crack, in COCO person"),
                              ([{"id": 90, "name": "crack"}, {"id": 2, "name": "hole"}], "2 is hole, in COCO bi")):
        file.write_text(json.dumps({**listed, "categories": categories}))
        with pytest.raises(UsageError, match=rf"instances_val2017\.json has categories of its own: {words}"):
            open_dataset("coco_instances", tmp_path, "val")
    file.write_text(json.dumps({**listed, "categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "crack"}]}))
    assert set(np.unique(open_dataset("coco_instances", tmp_path, "val").label(0))) == {0, 15}


@pytest.mark.parametrize("counts", [[3, 3], [10, -1], "01:2H0"])
def test_run_lengths_that_do_not_fill_the_mask(counts):
    with pytest.raises(ValueError, match="run lengths"):
        rle.decode(counts, 3, 3)


def inside(points, height, width):
    """The pixels whose centre lies inside: a ray to the left crosses an odd number of edges."""
    mask = np.zeros((height, width), bool)
    corners = list(zip(points[::2], points[1::2], strict=True))
    for y in range(height):
        for x in range(width):
            for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
                if (y0 > y + 0.5) != (y1 > y + 0.5) and x0 + (y + 0.5 - y0) * (x1 - x0) / (y1 - y0) < x + 0.5:
                    mask[y, x] ^= True
    return mask


def test_polygons_against_a_ray_from_every_pixel():
    rng = np.random.default_rng(0)
    for corners in (3, 4, 9):
        points = rng.uniform(-4, 30, 2 * corners).tolist()  # crosses itself and leaves the picture
        np.testing.assert_array_equal(rle.polygon(points, 20, 26), inside(points, 20, 26))
    assert rle.polygon([2, 3, 5, 3, 5, 8, 2, 8], 10, 10).sum() == 15
    assert not rle.polygon([1, 1, 5, 5], 10, 10).any() and not rle.mask([], 10, 10).any()


def test_labels_are_drawn_first_annotation_first(tmp_path):
    images = made.coco_images(tmp_path, (40, 60))
    crowd = np.zeros((40, 60), bool)
    crowd[:, 40:] = True
    made.instances(tmp_path, images, [
        annotation(GIRAFFE, box(0, 0, 60, 40), 2400),
        annotation(DOG, [*box(5, 5, 45, 25), *box(0, 30, 10, 40)], 900),
        annotation(PERSON, runs(crowd), 800, crowd=1),
        annotation(SOFA, box(10, 20, 60, 40), 1000)])
    source = open_dataset("coco_instances", tmp_path, "val")
    expected = np.zeros((40, 60), np.uint8)
    expected[20:40, 10:60] = 18
    expected[:, 40:] = 15
    expected[5:25, 5:45] = expected[30:40, :10] = 12
    image, label = source[0]
    assert image.shape == (40, 60, 3) and label.dtype == np.uint8
    np.testing.assert_array_equal(label, expected)
    np.testing.assert_array_equal(source.ignoring(15)[0][1], np.where(expected == 15, 255, expected))
    assert source.name(0) == "000000000001" and source.pairs[0][1].endswith("instances_val2017.json")


def test_images_of_more_than_1000_labelled_pixels_are_kept(tmp_path):
    images = made.coco_images(tmp_path, *[(50, 50)] * 6)
    made.instances(tmp_path, images, [
        annotation(PERSON, box(0, 0, 25, 40), 1000, image=1),
        annotation(PERSON, box(0, 0, 25, 40), 1000, image=2), annotation(DOG, box(25, 0, 26, 1), 1, image=2),
        # 1,200 pixels by area, 900 of them twice.
        annotation(PERSON, box(0, 0, 20, 45), 900, image=3), annotation(PERSON, box(0, 0, 20, 15), 300, image=3),
        annotation(PERSON, box(0, 0, 50, 50), 2500, image=4),
        annotation(GIRAFFE, box(0, 0, 50, 50), 2500, image=5)])
    source = open_dataset("coco_instances", tmp_path, "val")
    assert [source.name(i) for i in range(len(source))] == ["000000000002", "000000000004"]
    assert [np.count_nonzero(source[i][1]) for i in range(2)] == [1001, 2500]


def test_annotations_may_stand_before_the_images(tmp_path):
    images = made.coco_images(tmp_path, (50, 50))
    made.instances(tmp_path, images, [annotation(DOG, box(0, 0, 50, 50), 2500)])
    path = tmp_path / "annotations/instances_val2017.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: content[key] for key in reversed(content)}, indent=1))
    assert (open_dataset("coco_instances", tmp_path, "val")[0][1] == 12).all()


def test_missing_image_file(tmp_path):
    images = made.coco_images(tmp_path, (50, 50), (50, 50))
    made.instances(tmp_path, images, [annotation(DOG, box(0, 0, 50, 50), 2500, image=i) for i in (1, 2)])
    (tmp_path / "val2017/000000000002.jpg").unlink()
    with pytest.raises(UsageError, match="val2017/000000000002.jpg is missing\nexpected"):
        open_dataset("coco_instances", tmp_path, "val")
    source, faults = verify_split("coco_instances", tmp_path, "val", 21)
    assert len(source) == 1 and [fault.what for fault in faults] == ["is missing"]


def test_masks_and_files_that_cannot_be_read(tmp_path):
    images = made.coco_images(tmp_path, (50, 50))
    made.instances(tmp_path, images, [annotation(DOG, {"counts": [7, 9], "size": [50, 50]}, 2500)])
    _, faults = verify_split("coco_instances", tmp_path, "val", 21)
    assert "has no readable mask of 000000000001.jpg (run lengths of 16 pixels" in faults[0].what
    path = tmp_path / "annotations/instances_val2017.json"
    for text in (path.read_text()[:200], "[]", '{"images": [3]}'):
        path.write_text(text)
        with pytest.raises(UsageError, match="instances_val2017.json holds no COCO instances"):
            open_dataset("coco_instances", tmp_path, "val")
    path.write_text('{"images": [], "annotations": []}')
    with pytest.raises(UsageError, match="has no image with more than 1000 pixels of the 20 classes"):
        open_dataset("coco_instances", tmp_path, "val")
