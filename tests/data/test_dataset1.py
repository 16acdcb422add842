"""dataset1 comes into place whole or not at all, whatever the archive or the network does."""

import hashlib
import http.server
import io
import os
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from segnet_hpu.data import dataset1
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.samples.write import write_dataset

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9/dataset1.zip"
GREY = cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()


def make_zip(top="", leave_out=(), extra=()):
    """Bytes of a zip with three training pairs and one test pair; extra: (name or ZipInfo, bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for folder in dataset1.FOLDERS:
            for name in ("a", "b", "c") if folder.endswith("train") else ("d",):
                if f"{folder}/{name}" not in leave_out and folder not in leave_out:
                    bundle.writestr(f"{top}{folder}/{name}.png", GREY)
        for name, content in extra:
            bundle.writestr(name, content)
    return buffer.getvalue()


def symlink(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


@pytest.fixture
def archive(tmp_path):
    def write(content):
        path = tmp_path / "dataset1.zip"
        path.write_bytes(content)
        return path
    return write


@pytest.fixture
def serve():
    """Serve bytes, all or the first `cut`, over HTTP; returns the URL."""
    servers = []

    def start(body, cut=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:cut])

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/dataset1.zip"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def everything(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("top", ["", "dataset1/"])
def test_unpacks_with_and_without_a_top_folder(tmp_path, archive, top):
    litter = [("__MACOSX/images_prepped_train/._a.png", b"x"), ("readme.txt", b"x")]
    path = archive(make_zip(top, extra=litter))
    out = tmp_path / "new" / "dataset1"
    dataset1.prepare(out, archive=path)
    assert dataset1.is_complete(out)
    assert sorted(os.listdir(out)) == sorted(dataset1.FOLDERS)
    assert sorted(os.listdir(out / "annotations_prepped_train")) == ["a.png", "b.png", "c.png"]
    assert (out / "images_prepped_test" / "d.png").read_bytes() == GREY
    assert os.listdir(out.parent) == ["dataset1"]


WHOLE = make_zip()
FLIPPED = bytearray(WHOLE)
FLIPPED[WHOLE.index(b"a.png") + 8] ^= 0xFF  # inside the first file's packed bytes


@pytest.mark.parametrize("content, words", [
    (b"", "broken or no zip"),
    (b"<!DOCTYPE html><html>", "broken or no zip"),
    (WHOLE[:-40], "broken or no zip"),
    (WHOLE[:200] + WHOLE[230:], "broken or no zip"),
    (bytes(FLIPPED), "broken or no zip"),
    (make_zip(leave_out=["images_prepped_test"]), "lacks images_prepped_test"),
    (make_zip(leave_out=["annotations_prepped_train/b"]), "lacks labels"),
    (make_zip(top="deep/deeper/"), "lacks annotations_prepped_test"),
    (make_zip(extra=[("../evil.png", b"x")]), "leads elsewhere"),
    (make_zip(extra=[("images_prepped_train/../../evil.png", b"x")]), "leads elsewhere"),
    (make_zip(extra=[("images_prepped_train\\..\\..\\evil.png", b"x")]), "leads elsewhere"),
    (make_zip(extra=[("/tmp/evil.png", b"x")]), "leads elsewhere"),
    (make_zip(extra=[("C:/evil.png", b"x")]), "leads elsewhere"),
    (make_zip(extra=[symlink("images_prepped_train/evil.png", "/etc/passwd")]), "leads elsewhere"),
])
def test_a_bad_archive_is_refused_and_leaves_nothing(tmp_path, archive, content, words):
    path = archive(content)
    with pytest.raises(UsageError) as caught:
        dataset1.prepare(tmp_path / "dataset1", archive=path)
    assert words in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert everything(tmp_path) == ["dataset1.zip"]


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path, archive, monkeypatch):
    monkeypatch.setattr(dataset1, "MAX_BYTES", 1 << 20)
    path = archive(make_zip(extra=[("images_prepped_train/e.png", bytes(2 << 20))]))
    assert path.stat().st_size < 10_000
    with pytest.raises(UsageError, match="unpacks to more than"):
        dataset1.unpack(path, tmp_path / "dataset1")
    assert everything(tmp_path) == ["dataset1.zip"]


def test_a_header_that_understates_the_size_is_refused(tmp_path, archive):
    body = make_zip(extra=[("images_prepped_train/e.png", bytes(5_000_000))])
    honest = (5_000_000).to_bytes(4, "little")
    assert body.count(honest) == 2
    path = archive(body.replace(honest, (100).to_bytes(4, "little")))
    with pytest.raises(UsageError, match="broken or no zip"):
        dataset1.unpack(path, tmp_path / "dataset1")
    assert everything(tmp_path) == ["dataset1.zip"]


def test_downloads(tmp_path, serve):
    out = tmp_path / "dataset1"
    dataset1.prepare(out, url=serve(make_zip("dataset1/")))
    assert dataset1.is_complete(out)
    assert os.listdir(tmp_path) == ["dataset1"]


@pytest.mark.parametrize("body, cut, words", [
    (b"\n<!DOCTYPE html><html>Quota exceeded</html>", None, "web page"),
    (WHOLE, 300, "broke off at 300 of"),
    (WHOLE[:-40], None, "broken or no zip"),
    (make_zip(extra=[("../evil.png", b"x")]), None, "leads elsewhere"),
])
def test_a_bad_download_is_named_and_leaves_nothing(tmp_path, serve, body, cut, words):
    url = serve(body, cut)
    with pytest.raises(RunError) as caught:
        dataset1.prepare(tmp_path / "dataset1", url=url)
    assert words in str(caught.value) and url in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_complete_folder_is_kept(tmp_path):
    out = tmp_path / "dataset1"
    write_dataset(out, 5, 0, 32, 32)
    before = everything(out)
    assert "complete (4 training, 1 test pairs): kept" in dataset1.prepare(out, url=NOWHERE)
    assert everything(out) == before


def test_an_incomplete_folder_is_neither_taken_nor_overwritten(tmp_path):
    out = tmp_path / "dataset1"
    write_dataset(out, 5, 0, 32, 32)
    (out / "annotations_prepped_train" / "scene_0001.png").unlink()
    before = everything(out)
    with pytest.raises(UsageError, match="no complete data set"):
        dataset1.prepare(out, url=NOWHERE, fallback=lambda out: pytest.fail("must not draw over it"))
    assert everything(out) == before


def test_command_falls_back_to_samples(cli, tmp_path):
    done = cli("prepare_data", "--n", 2, env={"SEGNET_DATASET1_URL": NOWHERE})
    assert done.returncode == 0, done.stderr
    assert "no download: " in done.stderr and "drawing 2 sample scenes" in done.stderr
    assert dataset1.is_complete(tmp_path / "dataset1")
    assert os.listdir(tmp_path) == ["dataset1"]


def test_command_without_fallback_fails(cli, tmp_path):
    done = cli("prepare_data", "--fallback", "none", env={"SEGNET_DATASET1_URL": NOWHERE})
    assert done.returncode == 1
    assert NOWHERE in done.stderr and done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [None, b"no zip"])
def test_a_bad_local_archive_does_not_fall_back(cli, tmp_path, content):
    path = tmp_path / "mine.zip"
    if content:
        path.write_bytes(content)
    done = cli("prepare_data", env={"SEGNET_DATASET1": str(path), "SEGNET_DATASET1_URL": NOWHERE})
    assert done.returncode == 2
    assert str(path) in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "dataset1").exists()


def test_script_passes_flags_and_status_on(tmp_path, archive):
    env = {**os.environ, "PYTHON": sys.executable, "SEGNET_DATASET1": str(archive(make_zip()))}

    def script(*args):
        return subprocess.run([ROOT / "data_prepare.sh", *args], cwd=tmp_path, env=env, text=True,
                              capture_output=True, timeout=60)

    done = script("--out", "my set")
    assert done.returncode == 0, done.stderr
    assert dataset1.is_complete(tmp_path / "my set")
    assert "kept" in script("--out", "my set").stdout
    refused = script("--oot", "x")
    assert refused.returncode == 2 and "--out" in refused.stderr


def test_a_checksum_is_held_to(tmp_path, serve, archive):
    right, wrong = hashlib.sha256(WHOLE).hexdigest(), "0" * 64
    for how in ({"url": serve(WHOLE)}, {"archive": archive(WHOLE)}):
        with pytest.raises((RunError, UsageError), match=f"sha256 is {right}, expected 0000"):
            dataset1.prepare(tmp_path / "bad", **how, sha256=wrong)
        out = tmp_path / next(iter(how))
        dataset1.prepare(out, **how, sha256=right.upper())
        assert dataset1.is_complete(out)
    assert sorted(os.listdir(tmp_path)) == ["archive", "dataset1.zip", "url"]


def test_what_comes_from_the_default_address_must_have_its_pairs(tmp_path, serve, monkeypatch):
    monkeypatch.setattr(dataset1, "URL", serve(WHOLE))
    with pytest.raises(RunError, match="holds 3 training and 1 test images, expected 367 training and 101 test"):
        dataset1.prepare(tmp_path / "dataset1", url=dataset1.URL)
    monkeypatch.setattr(dataset1, "PAIRS", (3, 1))
    done = dataset1.prepare(tmp_path / "dataset1", url=dataset1.URL)
    assert done.endswith(f"(sha256 {hashlib.sha256(WHOLE).hexdigest()})")


def test_no_line_shows_what_follows_a_question_mark(tmp_path, serve):
    url = serve(WHOLE) + "?token=secret"
    assert "secret" not in dataset1.prepare(tmp_path / "dataset1", url=url)
