"""JPEG pictures with corrupt data, of which OpenCV returns what libjpeg made up, without a word to its caller."""

import struct

import cv2
import numpy as np
import pytest

from segnet_hpu.cli import main

PIXELS = cv2.resize(np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8), (128, 96))
BASELINE, PROGRESSIVE, RESTARTS = [], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]
VERIFY = ["verify_dataset", "--images_path", "images", "--segs_path", "labels", "--n_classes", "2"]


def jpeg(options=BASELINE):
    return cv2.imencode(".jpg", PIXELS, options)[1].tobytes()


def scan_cut(data):
    """Two thirds of the last scan are missing, its end marker is there."""
    start = data.index(b"\xff\xda")
    return data[:start + (len(data) - start) // 3] + data[-2:]


def zeroed(data):
    """The second third of the data is zeros, as of a bad sector."""
    start = data.index(b"\xff\xda")
    third = (len(data) - start) // 3
    return data[:start + third] + bytes(third) + data[start + 2 * third:]


def twice_as_tall(data):
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">H", 192) + data[at + 2:]


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Write JPEGs by their names, with labels of their size, into folders of the current one."""
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for folder in ("images", "labels"):
            (tmp_path / folder).mkdir()
        for name, data in files.items():
            (tmp_path / f"images/{name}.jpg").write_bytes(data)
            height = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE).shape[0]
            cv2.imwrite(f"labels/{name}.png", np.eye(height, 128, dtype=np.uint8))

    return write


def test_verify_names_every_damaged_file(pictures, capfd):
    pictures(a=jpeg(), b=scan_cut(jpeg()), c=jpeg(PROGRESSIVE), d=zeroed(jpeg()), e=twice_as_tall(jpeg()),
             f=scan_cut(jpeg(PROGRESSIVE)), g=jpeg(RESTARTS), h=scan_cut(jpeg(RESTARTS)))
    capfd.readouterr()
    assert main(VERIFY) == 1
    said = capfd.readouterr().out
    assert "5 faults in 8 pairs" in said
    for name in "abcdefgh":
        assert (f"images/{name}.jpg is damaged (premature end of data segment); copy it anew" in said) == (
            name in "bdefh")


def test_other_commands_refuse_the_first(pictures, capfd):
    pictures(a=jpeg(), b=scan_cut(jpeg()))
    assert main(["dataset", "stats", *VERIFY[1:]]) == 2
    assert "images/b.jpg is damaged (premature end" in capfd.readouterr().err


def test_superfluous_data_are_told(pictures, capfd):
    whole = jpeg()
    pictures(a=whole, b=whole[:-2] + bytes(range(1, 20)) + whole[-2:])
    capfd.readouterr()
    assert main(VERIFY) == 0
    assert "1 of 2 images are JPEGs with superfluous data, such as images/b.jpg (17 extran" in capfd.readouterr().err


def test_names_of_any_bytes(pictures, capfd):
    pictures(**{"a b\n": jpeg(), "ä": scan_cut(jpeg())})
    assert main(VERIFY) == 1
    assert "1 fault in 2 pairs" in capfd.readouterr().out
