import hashlib
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from segnet_hpu.data import split
from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.data.file_pairs import pair_paths
from segnet_hpu.errors import RunError, UsageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(tmp_path):
    """Ten pairs, every file's content its own name; returns them as pair_paths does."""
    for folder, ending in (("images", "jpg"), ("labels", "png")):
        (tmp_path / folder).mkdir()
        for i in range(10):
            (tmp_path / folder / f"s{i}.{ending}").write_text(f"{folder} {i}")
    return pair_paths(tmp_path / "images", tmp_path / "labels")


def contents(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in Path(folder).rglob("*") if path.is_file()}


def parts(out):
    return [sorted(path.stem for path in (out / f"images/{part}").iterdir()) for part in ("train", "val")]


def test_same_pairs_in_any_order_and_as_worked_out_by_hand(data):
    chosen = split.validation_pairs(data, 4, 7)
    assert chosen == split.validation_pairs(data[::-1], 4, 7) and len(chosen) == 4
    lots = sorted((hashlib.sha1(f"7/s{i}".encode()).hexdigest(), f"s{i}") for i in range(10))
    assert {Path(image).stem for image, _ in chosen} == {stem for _, stem in lots[:4]}
    assert chosen != split.validation_pairs(data, 4, 8)


def test_one_pair_more_moves_at_most_one_other(data):
    before, more = split.validation_pairs(data[:9], 4, 0), split.validation_pairs(data, 4, 0)
    assert len(more - before) <= 1


def test_the_validation_pairs_of_kitti_road(real_data):
    pairs = open_dataset("kitti_road", real_data / "kitti_road", "trainval").pairs
    known = open_dataset("kitti_road", real_data / "kitti_road", "val").pairs
    assert len(known) == 2 and split.validation_pairs(pairs, 2, 0) == set(map(tuple, known))


def test_names_that_are_no_utf8():
    pairs = [(os.fsdecode(b"images/caf\xe9%d.jpg" % i), "") for i in range(4)]
    lots = sorted((hashlib.sha1(b"0/caf\xe9%d" % i).digest(), i) for i in range(4))
    assert split.validation_pairs(pairs, 1, 0) == {pairs[lots[0][1]]}


@pytest.mark.parametrize("val, count", [(1, 1), (9, 9), (0.2, 2), (0.01, 1), (0.94, 9)])
def test_number_or_share(data, val, count):
    assert len(split.validation_pairs(data, val, 0)) == count


@pytest.mark.parametrize("val", [10, 11, 0.96])
def test_nothing_left_to_train_on(data, val):
    with pytest.raises(UsageError, match="--val .* of 10 pairs leaves none to train on; expected at most 9"):
        split.validation_pairs(data, val, 0)


@pytest.mark.parametrize("how", [split.COPY, split.LINK, split.MOVE])
def test_every_pair_lies_in_one_part_and_is_what_it_was(data, tmp_path, how):
    chosen, before = split.validation_pairs(data, 3, 0), contents(tmp_path)
    node = os.stat(data[0][0]).st_ino
    split.write_split(data, chosen, tmp_path / "out", how)
    train, val = parts(tmp_path / "out")
    assert val == sorted(Path(image).stem for image, _ in chosen)
    assert sorted(train + val) == [f"s{i}" for i in range(10)]
    after = contents(tmp_path / "out")
    assert sorted(after.values()) == sorted(before.values())
    for path, text in after.items():
        kind, part, name = path.split("/")
        assert part in ("train", "val") and text == f"{kind.replace('annotations', 'labels')} {name[1]}"
    assert contents(tmp_path / "images") == ({} if how == split.MOVE else
                                             {f"s{i}.jpg": f"images {i}" for i in range(10)})
    (place,) = (tmp_path / "out/images").rglob(Path(data[0][0]).name)
    assert (place.stat().st_ino == node) == (how != split.COPY)


def test_link_to_a_picture_is_followed(data, tmp_path, capsys):
    (tmp_path / "real.jpg").write_text("elsewhere")
    Path(data[0][0]).unlink()
    Path(data[0][0]).symlink_to("../real.jpg")
    split.write_split(data, split.validation_pairs(data, 3, 0), tmp_path / "out", split.MOVE)
    (place,) = (tmp_path / "out/images").rglob("s0.jpg")
    assert not place.is_symlink() and place.read_text() == "elsewhere"
    assert (tmp_path / "real.jpg").exists() and not Path(data[0][0]).is_symlink()
    assert "1 of the 20 files are links" in capsys.readouterr().err
    place.write_text("edited")
    assert (tmp_path / "real.jpg").read_text() == "elsewhere"


@pytest.mark.parametrize("how", [split.LINK, split.MOVE])
def test_another_disk(data, tmp_path, monkeypatch, how):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    if how == split.LINK:
        with pytest.raises(RunError, match="cannot be linked into --out .*cross-device.*leave out --link to copy"):
            split.write_split(data, set(data[:2]), tmp_path / "out", how)
        assert sorted(os.listdir(tmp_path)) == ["images", "labels"]
    else:
        split.write_split(data, set(data[:2]), tmp_path / "out", how)
        assert len(contents(tmp_path / "out")) == 20 and not contents(tmp_path / "images")


@pytest.mark.parametrize("how", [split.COPY, split.MOVE])
def test_what_is_there_stays(data, tmp_path, how):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="--out .*out is there already; expected a new or an empty folder"):
        split.write_split(data, set(data[:2]), tmp_path / "out", how)
    assert contents(tmp_path) == before


def test_full_disk_leaves_all_as_it_was(data, tmp_path):
    Path(data[5][1]).write_text("x" * 5000)
    before, limits = contents(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(RunError, match="--out .*out: File too large .*nothing is kept"):
            split.write_split(data, set(data[:2]), tmp_path / "out", split.COPY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert contents(tmp_path) == before and sorted(os.listdir(tmp_path)) == ["images", "labels"]


KILLED = """
import os, signal, sys
from segnet_hpu.data import split
from segnet_hpu.data.file_pairs import pair_paths

def count(event, arguments):
    global left
    if event == {event!r}:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

pairs, left = pair_paths("images", "labels"), 5
sys.addaudithook(count)
split.write_split(pairs, set(pairs[:3]), "out", split.MOVE)
"""


@pytest.mark.parametrize("event", ["os.link", "os.remove"])
def test_a_kill_while_moving_loses_nothing(data, tmp_path, event):
    done = subprocess.run([sys.executable, "-c", KILLED.format(event=event)], cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGKILL
    whole = contents(tmp_path / "out") if event == "os.remove" else \
        {**contents(tmp_path / "images"), **contents(tmp_path / "labels")}
    assert len(whole) == 20 and (tmp_path / "out").exists() == (event == "os.remove")


def test_originals_that_may_not_be_removed(data, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("labels"))
    with pytest.raises(UsageError, match="--move: files in .*labels may not be removed"):
        split.write_split(data, set(data[:2]), tmp_path / "out", split.MOVE)
    assert not (tmp_path / "out").exists()
