import json

import cv2
import numpy as np
import pytest


@pytest.fixture
def folders(tmp_path):
    """Arguments that name a data set of two faultless pairs with ids 0..2."""
    for folder, pixels in (("images", np.zeros((6, 8, 3))), ("labels", np.arange(48).reshape(6, 8) % 3)):
        (tmp_path / folder).mkdir()
        for stem in "ab":
            cv2.imwrite(str(tmp_path / folder / f"{stem}.png"), pixels.astype(np.uint8))
    return ["verify_dataset", "--images_path", "images", "--segs_path", "labels"]


def test_status_0_and_summary(cli, folders):
    done = cli(*folders, "--n_classes", 3)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 pairs, no faults\n", "")


def test_status_1_faults_and_json(cli, folders, tmp_path):
    (tmp_path / "images/a.png").write_bytes(b"")
    done = cli(*folders, "--n_classes", 2, "--json", "report.json")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[-1] == "3 faults in 2 pairs" and len(lines) == 4
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["pairs"] == 2
    assert [fault["file"] for fault in report["faults"]] == ["images/a.png", "labels/a.png", "labels/b.png"]
    assert "2 (16 pixels)" in report["faults"][1]["what"] and report["faults"][1]["fix"]


def test_max_faults_cuts_the_list_not_the_count(cli, folders):
    done = cli(*folders, "--n_classes", 2, "--max_faults", 1)
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and "1 more" in lines[1] and lines[2] == "2 faults in 2 pairs"


def test_ignore_label(cli, folders):
    assert cli(*folders, "--n_classes", 2, "--ignore_label", 2).returncode == 0


@pytest.mark.parametrize("flags, words", [
    (["--n_classes", "0"], "--n_classes is 0"),
    (["--n_classes", "3", "--segs_path", "nowhere"], "nowhere: cannot be read"),
    (["--n_classes", "3", "--segs_path", "images"], "both images and labels"),
    (["--n_classes", "3", "--json", "labels/a.png/report.json"], "--json labels/a.png/report.json"),
])
def test_refusals(cli, folders, flags, words):
    done = cli(*folders, *flags)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1
