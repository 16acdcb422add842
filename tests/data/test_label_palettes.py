"""Labels with palettes: read by indices only where these have the same colours in all files of a set."""

import numpy as np
import pytest

import made_datasets as made
from made_png import bmp_with_palette, chunk, png
from segnet_hpu.cli import main
from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.data.labels import read_label, read_label_colours
from segnet_hpu.data.verify import verify_pairs, verify_split
from segnet_hpu.errors import UsageError

IDS = np.arange(48, dtype=np.uint8).reshape(6, 8) % 3
COLOURS = np.array([[0, 0, 0], [220, 40, 40], [40, 60, 220]], np.uint8)
EXCHANGED = COLOURS[[0, 2, 1]]
GREYS = np.array([[0, 0, 0], [2, 2, 2], [1, 1, 1]], np.uint8)  # as sorting by frequency leaves them
VALUES = "label_values: {floor: 0, disc: 2, box: 1}"
VOID = "ignore_label: 0"
BY_COLOUR = "label_colours: {floor: [0, 0, 0], disc: [220, 40, 40], box: [40, 60, 220]}"


@pytest.fixture
def data(tmp_path):
    """Write labels a, b, ... with these palettes, beside images; returns the folder."""
    def write(*palettes, chunks=b""):
        for stem, colours in zip("abcd", palettes, strict=False):
            made.write(tmp_path / f"images/{stem}.png", made.noise((6, 8)))
            (tmp_path / "labels").mkdir(exist_ok=True)
            file = png(IDS, 8, 0 if colours is None else 3, colours is not None and colours.tobytes())
            (tmp_path / f"labels/{stem}.png").write_bytes(file[:33] + chunks + file[33:])
        return tmp_path

    return write


def faults(folder, coding):
    (folder / "d.yaml").write_text(f"classes: [floor, disc, box]\n{coding}\n"
                                   "splits: {train: {images: images, labels: labels}}\n")
    return verify_split(str(folder / "d.yaml"), None, "train", 3)[1]


@pytest.mark.parametrize("coding", ["", VALUES, VOID])
def test_indices_of_several_colours_are_refused_whatever_they_stand_for(data, coding):
    folder = data(COLOURS, EXCHANGED)
    (fault,) = faults(folder, coding)
    assert {"a.png", "b.png"} <= {word.strip(",;").rpartition("/")[2] for word in str(fault).split()}
    assert "for the index 1, which is" in fault.what and "label_colours" in fault.fix


@pytest.mark.parametrize("coding", ["", VALUES])
@pytest.mark.parametrize("order", [1, -1])
def test_a_palette_of_greys_beside_a_coloured_one_is_refused(data, coding, order):
    folder = data(*[COLOURS, GREYS][::order])
    (fault,) = faults(folder, coding)
    grey, coloured = ("b", "a") if order == 1 else ("a", "b")
    assert fault.file.endswith(f"labels/{grey}.png") and f"{coloured}.png has one of colours" in fault.what
    assert "label_colours" in fault.fix


@pytest.mark.parametrize("palettes", [
    (COLOURS, COLOURS),
    (COLOURS, np.repeat(np.arange(3, dtype=np.uint8)[:, None], 3, 1)),  # ids that an optimizer gave a palette
    (COLOURS, None),
    (GREYS, None),
    (GREYS, GREYS[::-1]),
])
@pytest.mark.parametrize("coding", ["", VALUES])
def test_palettes_that_agree(data, palettes, coding):
    assert faults(data(*palettes), coding) == []


def test_colours_that_count_may_have_any_index(data):
    folder = data(COLOURS, EXCHANGED)
    assert faults(folder, BY_COLOUR) == []
    source = open_dataset(str(folder / "d.yaml"), None, "train")
    np.testing.assert_array_equal(source.label(1), np.array([0, 2, 1])[IDS])


def test_a_palette_behind_a_large_colour_profile(data):
    folder = data(COLOURS, EXCHANGED, chunks=chunk(b"iCCP", bytes(100_000)))
    assert len(verify_pairs(folder / "images", folder / "labels", 3)) == 1


def test_a_void_index_is_compared_by_its_own_colour(data):
    """Index 0 is void, training id 255, which has another colour in the two palettes and occurs in neither file."""
    whole = [np.vstack([COLOURS, np.full((253, 3), grey, np.uint8)]) for grey in (9, 200)]
    assert faults(data(*whole), VOID) == []


@pytest.mark.parametrize("command", [["convert", "--out", "new"], ["stats"], ["split", "--val", "1", "--out", "new"]])
def test_commands_refuse_in_these_words(data, command, capsys, monkeypatch):
    folder = data(COLOURS, EXCHANGED)
    monkeypatch.chdir(folder)
    faults(folder, VALUES)
    assert main(["dataset", *command, "--dataset", "d.yaml", "--split", "train"]) == 2
    assert "for the index 1, which is" in capsys.readouterr().err and not (folder / "new").exists()


@pytest.mark.parametrize(("command", "status"), [
    ("verify_dataset --n_classes 3", 1), ("visualize_dataset --n_classes 3 --out sheet.png", 2),
    ("dataset stats --n_classes 3", 2), ("dataset augment --n_classes 3 --out new", 2),
    ("dataset convert --n_classes 3 --out new", 2), ("dataset split --n_classes 3 --val 1 --out new", 2)])
def test_commands_print_a_description_that_reads_folders_by_colours(data, command, status, capsys, monkeypatch):
    folder = data(COLOURS, EXCHANGED)
    monkeypatch.chdir(folder)
    assert main([*command.split(), "--images_path", "images", "--segs_path", "labels"]) == status
    said = "".join(capsys.readouterr())
    assert "for the index 1, which is" in said and not (folder / "new").exists()
    (folder / "d.yaml").write_text(said[said.index("# These lines read"):])
    source = open_dataset("d.yaml", None, "val" if command.startswith("visualize") else "train")
    np.testing.assert_array_equal(source.label(1), np.array([0, 2, 1])[source.label(0)])


def test_greys_that_are_not_the_indices_are_told(data, monkeypatch, capsys):
    monkeypatch.chdir(data(GREYS, None, GREYS[::-1], np.arange(3, dtype=np.uint8)[:, None].repeat(3, 1)))
    assert main(["verify_dataset", "--images_path", "images", "--segs_path", "labels", "--n_classes", "3"]) == 0
    said = capsys.readouterr().err
    assert "2 labels have a palette of greys that are not the indices, such as labels/a.png" in said


@pytest.mark.parametrize("greys", [[0, 0, 0], [0, 1, 1]])
@pytest.mark.parametrize("ending", ["png", "bmp"])
def test_greys_that_merge_indices_are_refused(tmp_path, greys, ending):
    colours = np.array([*greys, *range(3, 256)], np.uint8)[:, None].repeat(3, 1)
    path = tmp_path / f"a.{ending}"
    path.write_bytes(png(IDS, 8, 3, colours.tobytes()) if ending == "png" else bmp_with_palette(IDS, colours))
    with pytest.raises(UsageError, match=f"shows its 3 indices as {len(set(greys))} greys.*as the values of a grey"):
        read_label(path)
    unused = np.where(IDS == 2, 0, IDS) if greys[1] else 0 * IDS  # of which none is merged
    path.write_bytes(png(unused, 8, 3, colours.tobytes()) if ending == "png" else bmp_with_palette(unused, colours))
    np.testing.assert_array_equal(read_label(path), unused)


def test_one_colour_transparent_and_not_is_no_class(tmp_path):
    """Two indices of one colour, of which one is transparent: by its indices a label, by its colours not."""
    whole = png(IDS, 8, 3, COLOURS[[1, 1, 2]].tobytes())
    path = tmp_path / "a.png"
    path.write_bytes(whole)
    np.testing.assert_array_equal(read_label(path), IDS)
    with pytest.raises(UsageError, match="a.png has one colour both transparent and not"):
        read_label_colours(path)
    path.write_bytes(png(IDS, 8, 3, COLOURS.tobytes()))
    np.testing.assert_array_equal(read_label_colours(path), COLOURS[IDS])


def test_train_and_val_are_compared(data, capsys, monkeypatch):
    folder = data(COLOURS, EXCHANGED)
    monkeypatch.chdir(folder)
    for kind in ("images", "labels"):
        for stem, split in (("a", "train"), ("b", "val")):
            (folder / split / kind).mkdir(parents=True)
            (folder / kind / f"{stem}.png").rename(folder / split / kind / f"{stem}.png")
    (folder / "d.yaml").write_text(f"classes: [floor, disc, box]\n{VALUES}\nsplits:\n"
                                   + "".join(f"  {split}: {{images: {split}/images, labels: {split}/labels}}\n"
                                             for split in ("train", "val")))
    assert main(["verify_dataset", "--dataset", "d.yaml"]) == 1
    said = capsys.readouterr().out
    assert "1 fault in 2 pairs" in said and "val/labels/b.png has the colour" in said and "train/labels/a.png" in said
