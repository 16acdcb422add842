"""Numbered pictures as frames: which are read, and what is told of the others."""

import pytest

from segnet_hpu.inference.numbered_pictures import numbered_files


@pytest.mark.parametrize("numbers, read", [((0, 1, 2), 3), ((1, 2, 3), 3), ((3, 4, 9, 1000), 2)])
def test_frames_end_at_a_gap_which_is_told(tmp_path, capsys, numbers, read):
    for number in numbers:
        (tmp_path / f"f_{number:03}.png").touch()
    for other in ("f_1.png", "f_a.png", "f_007.jpg", "g_008.png"):  # none of them is f_%03d.png
        (tmp_path / other).touch()
    files = numbered_files(str(tmp_path / "f_%03d.png"))
    assert files == [str(tmp_path / f"f_{number:03}.png") for number in numbers[:read]]
    left = len(numbers) - read
    err = capsys.readouterr().err
    assert (f"f_005.png is missing: frames end with {files[-1]}, {left} more files of" in err) == bool(left)
    assert bool(err) == bool(left)


def test_numbers_of_folders(tmp_path, capsys):
    for number in (0, 1, 5):
        (tmp_path / f"at{number}").mkdir()
        (tmp_path / f"at{number}/a.png").touch()
    assert len(numbered_files(str(tmp_path / "at%d/a.png"))) == 2 and not capsys.readouterr().err
