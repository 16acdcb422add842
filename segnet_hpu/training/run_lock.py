"""The lock on a run: two trainings into one folder would write over each other's checkpoints."""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from segnet_hpu.errors import UsageError, warn

# What a file system answers that knows no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class RunLock:
    """A lock on files, which are made for it. The system drops it when this process ends, however it ends: a file
    that a killed run has left locks nothing. As a context it is released, and its files removed, at the end.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(dict.fromkeys(paths))
        self.held: list[int] = []  # descriptors of the files, in their order

    def refuse_held(self) -> None:
        """Raise UsageError if another run holds the lock. Writes nothing."""
        for path in self.paths:
            if path.exists() and os.access(path, os.W_OK):
                with open(path, "r+") as file:
                    _lock(path, file.fileno())

    def take(self) -> None:
        """Take the lock; raises UsageError if another run holds it, OSError where its files cannot be made."""
        for path in self.paths:
            self.held.append(_locked(path))
            os.ftruncate(self.held[-1], 0)
            os.write(self.held[-1], json.dumps({"pid": os.getpid(), "host": socket.gethostname(),
                                                "since": time.strftime("%Y-%m-%d %H:%M:%S")}).encode())

    def in_place(self) -> bool:
        """Return whether the files that are held are still those at their paths."""
        return all(_same_file(path, held) for path, held in zip(self.paths, self.held, strict=False))

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, *_: object) -> None:
        for path, held in zip(self.paths, self.held, strict=False):
            if _same_file(path, held):
                path.unlink()  # before others can lock it
            os.close(held)
        self.held = []


def _locked(path: Path) -> int:
    """Return the descriptor of a file at a path, made if need be, that this process alone has locked."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if _same_file(path, descriptor):
            return descriptor
        os.close(descriptor)  # whoever had it has just removed it


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"another training writes into {path.parent} ({_holder(path)}); wait for its end, or "
                         "choose another --model_dir. Several workers of one training need --distributed") from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        warn(f"{path.parent} cannot be locked ({error.strerror}); see to it that no other training writes there")


def _holder(path: Path) -> str:
    """Who holds a lock, in words."""
    try:
        noted = json.loads(path.read_text())
        return f"process {noted['pid']} on {noted['host']}, since {noted['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # it is just being written
        return "which has just begun"


def _same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
