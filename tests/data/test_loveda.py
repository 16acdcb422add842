import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.data.classes import palette
from segnet_hpu.data.datasets import find, open_dataset
from segnet_hpu.errors import UsageError

VALUES = np.arange(8, dtype=np.uint8).repeat(16).reshape(8, 16)  # a row of each value of the masks


@pytest.fixture
def loveda(tmp_path):
    for split, scene, number in (("Train", "Rural", 2), ("Train", "Urban", 1366), ("Val", "Rural", 2522)):
        made.write(tmp_path / f"{split}/{scene}/images_png/{number}.png", made.noise((8, 16)))
        made.write(tmp_path / f"{split}/{scene}/masks_png/{number}.png", VALUES)
    return tmp_path


def test_both_scenes_are_read_and_no_data_is_void(loveda):
    source = open_dataset("loveda", loveda, "train")
    assert [source.name(i) for i in range(len(source))] == ["2", "1366"]
    assert len(open_dataset("loveda", loveda, "val")) == 1
    for image, label in (source[0], source[1]):
        assert image.shape == (8, 16, 3)
        assert label[:, 0].tolist() == [255, 0, 1, 2, 3, 4, 5, 6] and (label == label[:, :1]).all()
    assert not np.array_equal(source[0].image, source[1].image)


def test_published_names_and_colours():
    dataset = find("loveda")
    assert dataset.class_names == ("background", "building", "road", "water", "barren", "forest", "agricultural")
    assert palette(dataset.palette, 7)[[0, 3, 6]].tolist() == [[255, 255, 255], [0, 0, 255], [255, 195, 128]]


def test_it_lies_where_the_user_says(loveda):
    with pytest.raises(UsageError, match="--dataset loveda needs --data_root"):
        open_dataset("loveda", None, "train")
    (loveda / "Val/Rural/masks_png/2522.png").unlink()
    with pytest.raises(UsageError, match="--dataset loveda: .*2522.png has no label .*masks_png/2522.png"):
        open_dataset("loveda", loveda, "val")


def test_a_value_that_is_none_of_its_own_is_a_fault(loveda):
    made.write(loveda / "Val/Rural/masks_png/2522.png", VALUES + 1)
    with pytest.raises(UsageError, match="2522.png.*value 8"):
        open_dataset("loveda", loveda, "val").label(0)
