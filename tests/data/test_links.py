"""Links among the files of a data set: to files they are files, those that lead nowhere are refused by name."""

import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.cli import main
from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.data.inspection.describe import inspect_folder
from segnet_hpu.errors import UsageError

LABEL = np.repeat(np.arange(3, dtype=np.uint8), 256).reshape(24, 32)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Pairs a and b, and d.yaml that describes them; of b both files are links into a store."""
    for kind, pixels in (("images", made.noise((24, 32))), ("labels", LABEL)):
        made.write(tmp_path / f"{kind}/a.png", pixels)
        made.write(tmp_path / f"store/{kind[0]}.bin.png", pixels)
        (tmp_path / f"{kind}/b.png").symlink_to(tmp_path / f"store/{kind[0]}.bin.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def describe(images, labels):
    with open("d.yaml", "w", encoding="utf-8") as file:
        file.write(f"classes: [a, b, c]\nsplits: {{train: {{images: {images}, labels: {labels}}}}}\n")


LAYOUTS = [("images", "labels"), ("images/*.png", "labels/*.png")]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_links_to_files_are_files(place, layout):
    describe(*layout)
    source = open_dataset("d.yaml", None, "train")
    assert [source.name(i) for i in range(len(source))] == ["a", "b"]
    np.testing.assert_array_equal(source[1].label, LABEL)


def test_inspect_reads_them_too_and_tells_of_links_to_folders(place):
    made.write(place / "elsewhere/c.png", made.noise((24, 32)))
    (place / "images/more").symlink_to(place / "elsewhere")
    (place / "store").rename(place / ".store")
    for kind in ("images", "labels"):
        (place / f"{kind}/b.png").unlink()
        (place / f"{kind}/b.png").symlink_to(place / f".store/{kind[0]}.bin.png")
    found = inspect_folder(".", ".")
    assert found.pairs == {"train": 2}
    assert any("not looked into in .: images/more, links to folders" in line for line in found.oddities)


@pytest.mark.parametrize("layout", [None, *LAYOUTS])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_links_that_lead_nowhere_are_refused(place, capsys, layout, kind):
    """As of a data set whose large files were not fetched; passed over they would be missing from every figure."""
    (place / f"store/{kind[0]}.bin.png").unlink()
    if layout:
        describe(*layout)
    data = "--dataset d.yaml" if layout else "--images_path images --segs_path labels --n_classes 3"
    assert main(f"verify_dataset {data}".split()) == 1
    said = capsys.readouterr().out
    assert "1 fault in " in said and f"{kind}/b.png" in said
    assert main(f"dataset stats {data} --split train".split() if layout else f"dataset stats {data}".split()) == 2
    assert f"{kind}/b.png" in capsys.readouterr().err


def test_pairs_that_two_patterns_find_are_one(place):
    describe('["images/*.png", "images/b*.png"]', '["labels/*.png", "labels/b*.png"]')
    assert len(open_dataset("d.yaml", None, "train")) == 2


def test_one_picture_that_a_list_names_in_two_ways_is_refused(place):
    (place / "train.txt").write_text("a\nb\n./a\n")
    describe("images/*.png", "labels/*.png, list: train.txt")
    with pytest.raises(UsageError, match=r"train.txt lists ./a on lines 1 and 3; keep one of them"):
        open_dataset("d.yaml", None, "train")
