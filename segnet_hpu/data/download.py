"""Fetch a file over HTTP: resumed where possible, checked, and under its name only when whole."""

import base64
import contextlib
import hashlib
import os
import re
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.errors import RunError, UsageError, without_secrets
from segnet_hpu.files import StrPath
from segnet_hpu.lazy import LazyModule

if TYPE_CHECKING:
    from http import client as http_client
    from urllib import error as url_error
    from urllib import request as url_request
else:  # what a command's help would wait for
    http_client, url_error, url_request = map(LazyModule, ("http.client", "urllib.error", "urllib.request"))

CHUNK = 1 << 18  # bytes
LINE_BYTES = 1 << 20  # a plain progress line comes no sooner than this


def fetch(url: str, path: StrPath, *, size: int | None = None, sha256: str | None = None, md5: str | None = None,
          timeout: float = 30) -> Path:
    """Download `url` to `path` and return it as a Path; the file appears there only when it is whole.

    url: https://... or http://..., or https://USER:PASSWORD@... where the server asks for it; no message shows these
    two, nor what follows a ?. Redirects are followed to such addresses only.
    size: expected bytes. sha256, md5: expected hex digests. timeout: seconds without an answer.
    The bytes so far lie in `path`.part; a later call goes on from there when a size or digest can prove
    the result and the server supports ranges, and starts again otherwise. An existing `path` is replaced.

    Raises RunError (no network, HTTP status, short body, wrong size or digest, disk full) and
    UsageError (not a URL).
    """
    url, login = split_login(url)
    address = _shown(url)
    if not re.match("https?://[^/?#]", url):
        raise UsageError(f"{address!r} is no address; expected https://... or http://...")
    path = Path(path)
    part = path.with_name(path.name + ".part")
    provable = bool(size or sha256 or md5)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        resumed = provable and part.exists() and part.stat().st_size > 0
        _transfer(url, login, part, part.stat().st_size if resumed else 0, size, timeout)
        fault = _fault(part, size, sha256, md5)
        if fault and resumed:
            # The half file may have been of another version: once more, from the start.
            _transfer(url, login, part, 0, size, timeout)
            fault = _fault(part, size, sha256, md5)
        if fault:
            part.unlink()
            raise RunError(f"{address}: {fault}; nothing kept, try again or check the address")
        os.replace(part, path)
    except url_error.HTTPError as error:
        raise RunError(f"{address}: HTTP {error.code}{_reason(error)}; expected the file") from None
    except (http_client.InvalidURL, ValueError):  # whose words would repeat the address
        raise UsageError(f"{address!r} is no address; expected https://... or http://...") from None
    except (url_error.URLError, http_client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error) or type(error).__name__
        raise RunError(f"{address}: no answer ({reason}); check the network and try again") from None
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}; expected a place that can be written") from None
    finally:
        if not provable:
            with contextlib.suppress(OSError):
                part.unlink()
    return path


def split_login(url: str) -> tuple[str, str]:
    """Return the address without a USER:PASSWORD@, fit for messages, and USER:PASSWORD or "".

    >>> split_login("https://ann:secret@example.org/a.zip")
    ('https://example.org/a.zip', 'ann:secret')
    """
    found = re.fullmatch(r"(\w[\w+.-]*://)?([^/?#]*)@(.*)", url, re.DOTALL)
    return ((found[1] or "") + found[3], urllib.parse.unquote(found[2])) if found else (url, "")


def _shown(url: str) -> str:
    """An address as messages may show it; what follows a space, which none has, is left out."""
    return without_secrets(url.partition(" ")[0])


def _reason(error: "url_error.HTTPError") -> str:
    """The server's word for a status; not that of a refused redirect, which holds an address."""
    return "" if "redirect" in str(error.reason).lower() else f" {error.reason}"


def _opener() -> "url_request.OpenerDirector":
    """Return what opens http and https alone; urllib's own follows a redirect to ftp too, and reads files."""
    opener = url_request.OpenerDirector()
    for handler in (url_request.ProxyHandler, url_request.HTTPHandler, url_request.HTTPSHandler,
                    url_request.HTTPDefaultErrorHandler, url_request.HTTPRedirectHandler,
                    url_request.HTTPErrorProcessor, url_request.UnknownHandler):
        opener.add_handler(handler())
    return opener


def _transfer(url: str, login: str, part: Path, start: int, size: int | None, timeout: float) -> None:
    """Append the bytes from `start` on to `part`, or rewrite it if the server sends the whole."""
    request = url_request.Request(url, headers={"User-Agent": "segnet_hpu", "Accept-Encoding": "identity"})
    if login:
        # Not passed on to another server, should this one send us there.
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        reply = _opener().open(request, timeout=timeout)
    except url_error.HTTPError as error:
        if error.code == 416 and start:  # nothing is left to send, or the file has shrunk
            return
        raise
    with reply:
        start = start if reply.status == 206 else 0
        length = reply.headers.get("Content-Length")
        total = start + int(length) if length else size
        if size and total != size:
            part.unlink(missing_ok=True)
            raise RunError(f"{_shown(url)}: the server offers {total} bytes, expected {size}; check the address")
        with open(part, "ab" if start else "wb") as file, _progress(part.stem, start, total) as advance:
            # A broken-off body ends the loop like a whole one; the byte count below tells them apart.
            with contextlib.suppress(http_client.IncompleteRead):
                while chunk := reply.read(CHUNK):
                    file.write(chunk)
                    advance(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    got = part.stat().st_size
    if total and length and got < total:
        raise RunError(f"{_shown(url)}: the transfer broke off at {got} of {total} bytes; try again")


def _fault(part: Path, size: int | None, sha256: str | None, md5: str | None) -> str | None:
    """What is wrong with the file, in words, or None."""
    found = part.stat().st_size
    if size and found != size:
        return f"got {found} bytes, expected {size}"
    for name, expected in (("sha256", sha256), ("md5", md5)):
        if expected:
            digest = digest_of(part, name)
            if digest != expected.lower():
                return f"{name} is {digest}, expected {expected.lower()}"
    return None


def digest_of(path: StrPath, name: str = "sha256") -> str:
    """Return a file's digest in hex; name: as hashlib has it."""
    hasher = hashlib.new(name, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


@contextlib.contextmanager
def _progress(name: str, start: int, total: int | None) -> Iterator[Callable[[int], object]]:
    """Yield advance(bytes): a bar on a terminal, a plain line every tenth elsewhere."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(desc=name, initial=start, total=total, unit="B", unit_scale=True) as bar:
            yield bar.update
        return
    done, step = start, max((total or 0) / 10, LINE_BYTES)
    next_line = done + step

    def advance(n: int) -> None:
        nonlocal done, next_line
        done += n
        if done >= next_line:
            next_line = done + step
            of = f" of {total / 1e6:.1f}" if total else ""
            print(f"{name}: {done / 1e6:.1f}{of} MB", file=sys.stderr)
    yield advance
