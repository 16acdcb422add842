"""Downloads from a real server on this machine, with its bad days."""

import base64
import hashlib
import http.server
import os
import socket
import threading

import pytest

from segnet_hpu.data.download import fetch
from segnet_hpu.errors import RunError, UsageError

BODY = os.urandom(700_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()
LOGIN = base64.b64encode(b"ann:a @cret").decode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        if self.path.startswith("/missing"):
            return self.send_error(404)
        if self.path == "/private" and self.headers.get("Authorization") != f"Basic {LOGIN}":
            return self.send_error(401)
        start = 0
        if self.path != "/no_ranges" and self.headers.get("Range"):
            start = int(self.headers["Range"][len("bytes="):-1])
            if start >= len(BODY):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if self.path != "/no_length":
            self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        body = BODY[start:]
        self.wfile.write(body[:300_000] if self.path.startswith("/breaks_off") else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.ranges = []
        server.handle_error = lambda *args: None  # we hang up on files of the wrong size
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def redirecting():
    """Return the URL of a server that sends to an address; called with that."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as server:
        def to(address):
            server.address = address
            return f"http://127.0.0.1:{server.server_port}/moved"

        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield to
        server.shutdown()
        thread.join()


class Redirect(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", self.server.address)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.mark.parametrize("path", ["/file", "/no_length"])
@pytest.mark.parametrize("check", [{}, {"size": len(BODY)}, {"sha256": SHA256}, {"md5": MD5.upper()}])
def test_a_good_file(server, tmp_path, path, check):
    target = tmp_path / "new" / "file.bin"
    assert fetch(server.url + path, target, **check) == target
    assert target.read_bytes() == BODY
    assert os.listdir(target.parent) == ["file.bin"]


@pytest.mark.parametrize("path, check, words", [
    ("/missing", {}, "HTTP 404"),
    ("/file", {"sha256": "0" * 64}, f"sha256 is {SHA256}, expected 0000"),
    ("/file", {"md5": "0" * 32}, f"md5 is {MD5}, expected 0000"),
    ("/file", {"size": 5}, "offers 700000 bytes, expected 5"),
    ("/no_length", {"size": 5}, "got 700000 bytes, expected 5"),
    ("/breaks_off", {}, "broke off at 300000 of 700000 bytes"),
])
def test_a_failure_keeps_the_old_file_and_leaves_no_part(server, tmp_path, path, check, words):
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    with pytest.raises(RunError) as caught:
        fetch(server.url + path, target, **check)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file.bin"]


def test_goes_on_where_a_transfer_broke_off(server, tmp_path):
    target = tmp_path / "file.bin"
    with pytest.raises(RunError, match="broke off"):
        fetch(server.url + "/breaks_off", target, sha256=SHA256)
    assert os.listdir(tmp_path) == ["file.bin.part"]
    fetch(server.url + "/file", target, sha256=SHA256)
    assert server.ranges == [None, "bytes=300000-"]
    assert target.read_bytes() == BODY
    assert os.listdir(tmp_path) == ["file.bin"]


@pytest.mark.parametrize("part, path, requests", [
    (b"of another version", "/file", 2),  # the digest tells: once more from the start
    (BODY + b"too much", "/file", 2),
    (BODY[:1000], "/no_ranges", 1),  # the server sends the whole
    (BODY, "/file", 1),  # only the renaming was missing
])
def test_an_unfit_half_file_does_no_harm(server, tmp_path, part, path, requests):
    target = tmp_path / "file.bin"
    (tmp_path / "file.bin.part").write_bytes(part)
    fetch(server.url + path, target, sha256=SHA256)
    assert target.read_bytes() == BODY
    assert len(server.ranges) == requests


def test_without_a_check_a_half_file_is_not_trusted(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"x" * 1000)
    assert fetch(server.url + "/file", tmp_path / "file.bin").read_bytes() == BODY
    assert server.ranges == [None]


def test_progress_in_plain_lines(server, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("segnet_hpu.data.download.LINE_BYTES", 200_000)
    fetch(server.url + "/file", tmp_path / "file.bin")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert lines[-1].startswith("file.bin: 0.") and lines[-1].endswith(" of 0.7 MB")


def test_nobody_answers(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/file"
        with pytest.raises(RunError, match="no answer.*refused"):
            fetch(url, tmp_path / "file.bin")
    assert os.listdir(tmp_path) == []


def test_a_silent_server_times_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(RunError, match="timed out"):
        fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/file", tmp_path / "file.bin", timeout=0.1)


def test_wrong_calls(server, tmp_path):
    with pytest.raises(UsageError, match="'nonsense' is no address"):
        fetch("nonsense", tmp_path / "file.bin")
    (tmp_path / "taken").write_text("")
    with pytest.raises(RunError, match="Not a directory|File exists"):
        fetch(server.url + "/file", tmp_path / "taken" / "file.bin")


def test_a_login_of_the_address_is_used(server, tmp_path):
    url = server.url.replace("//", "//ann:a%20%40cret@")
    assert fetch(f"{url}/private", tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize("url", ["{server}/private", "{server}/missing", "http://{login}127.0.0.1:9/f",
                                 "{login}host/f", "nonsense://{login}host/f", "http://{login}127.0.0.1:port/f"])
def test_no_message_shows_a_login(server, tmp_path, url):
    login = "ann:pa@ssword@"
    with pytest.raises((RunError, UsageError)) as refused:
        fetch(url.format(server=server.url.replace("//", f"//{login}"), login=login), tmp_path / "file")
    assert "ann" not in str(refused.value) and "ssword" not in str(refused.value)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "data:text/plain,hello", "ftp://127.0.0.1/f",
                                 "FILE:/etc/hostname", "https:/etc/hostname", "http://?token=secret", "//host/f"])
def test_other_than_http_is_no_address(tmp_path, url):
    with pytest.raises(UsageError, match="is no address; expected https://") as refused:
        fetch(url, tmp_path / "file")
    assert "secret" not in str(refused.value) and os.listdir(tmp_path) == []


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1:9/f?token=secret", "data:,hello"])
def test_a_redirect_leads_to_http_alone(redirecting, tmp_path, target):
    with pytest.raises(RunError) as refused:
        fetch(redirecting(target), tmp_path / "file")
    assert "secret" not in str(refused.value) and os.listdir(tmp_path) == []


def test_a_redirect_is_followed_and_a_login_stays_behind(server, redirecting, tmp_path):
    assert fetch(redirecting(f"{server.url}/file"), tmp_path / "file").read_bytes() == BODY
    with pytest.raises(RunError, match="HTTP 401"):
        fetch(redirecting(f"{server.url}/private").replace("//", "//ann:a%20%40cret@"), tmp_path / "other")


@pytest.mark.parametrize("address", ["{server}/missing?token=secret", "{server}/breaks_off?token=secret#secret",
                                     "http://ann:pass/secret@host/f", "http://127.0.0.1:9/f?a=b&sig=secret",
                                     "http://127.0.0.1:port/f?secret", "http://127.0.0.1/a b?secret"])
def test_no_message_shows_a_token(server, tmp_path, address):
    with pytest.raises((RunError, UsageError)) as refused:
        fetch(address.format(server=server.url), tmp_path / "file")
    assert "secret" not in str(refused.value)
