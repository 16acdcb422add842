"""What is told when images are read over a range that is not theirs."""

import cv2
import numpy as np
import pytest

from segnet_hpu.cli import main

GREY = np.full((8, 12), 200, np.uint16)  # of 8 bits
LABEL = np.eye(8, 12, dtype=np.uint8)


@pytest.fixture
def verified(tmp_path, monkeypatch, capsys):
    """Write images a, b, ... and their labels, verify them; returns what is warned of."""
    monkeypatch.chdir(tmp_path)

    def run(*images, flags=""):
        for folder, files in (("images", images), ("labels", [LABEL] * len(images))):
            (tmp_path / folder).mkdir()
            for name, pixels in zip("abc", files, strict=False):
                assert cv2.imwrite(str(tmp_path / folder / f"{name}.png"), pixels)
        assert main(f"verify_dataset --images_path images --segs_path labels --n_classes 2 {flags}".split()) == 0
        return capsys.readouterr().err

    return run


@pytest.mark.parametrize("images, bits, words", [
    ([GREY * 4, GREY * 64], 14, "1 of 2 images reach 5% of it alone, such as images/a.png"),
    ([GREY * 16, GREY * 4], 12, "1 of 2 images reach 20% of it alone, such as images/b.png"),
    ([GREY * 4, GREY * 16, GREY * 64], 10, "2 of 3 images lie beyond it in 100% of the pixels, such as images/b.png"),
])
def test_images_of_another_range_are_told(verified, images, bits, words):
    said = verified(*images, flags=f"--image_range 0-{2**bits - 1}")
    assert said.count("\n") == 1 and f"image_range is 0-{2**bits - 1}, but {words}" in said


@pytest.mark.parametrize("images, flags", [
    ([GREY * 4, GREY * 3], "--image_range 0-1023"),
    ([GREY * 0, GREY * 4], "--image_range 0-1023"),  # nothing to see, in any range
    ([np.where(LABEL, 60000, GREY)], "--image_range 0-511"),  # a window whose lights are clipped on purpose
    ([(GREY // 10).astype(np.uint8), GREY * 4], "--image_range 0-1023"),  # 8 bits, which the range is not of
    ([GREY * 100, GREY * 200], ""),
])
def test_what_fits_is_not_told(verified, images, flags):
    assert "image_range" not in verified(*images, flags=flags)


def test_a_bright_border_does_not_hide_another_range(verified):
    deep = GREY * 4
    deep[0, 0] = 65535
    assert "1 of 1 images reach 5% of it alone" in verified(deep, flags="--image_range 0-16383")


def test_inspect_and_train_never_agree_on_a_wrong_range_in_silence(verified, tmp_path, capsys):
    """What inspect tells of ranges that differ is told by what reads its description, too."""
    verified(GREY * 4, GREY * 64, flags="--image_range 0-16383")
    assert main(["dataset", "inspect", ".", "--out", "d.yaml"]) == 0
    assert "1 of 2 images of more than 8 bits hold values of fewer bits" in capsys.readouterr().out
    assert main(["verify_dataset", "--dataset", "d.yaml"]) == 0
    assert "image_range is 0-16383, but 1 of 2 images reach 5% of it alone" in capsys.readouterr().err
