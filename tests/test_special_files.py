"""Pipes, sockets and devices are told from files without being opened: a pipe's reader would wait for ever."""

import os
import socket

import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.files import refuse_special, special_file


def test_special_files_are_told_from_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    (tmp_path / "file").touch()
    os.symlink("pipe", "link")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        kinds = [special_file(name) for name in ("pipe", "link", "socket", "/dev/zero", "file", ".", "none", "a\0b")]
    assert kinds == ["a pipe", "a pipe", "a socket", "a device", None, None, None, None]


def test_refusal_names_flag_and_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refuse_special("--config", tmp_path)
    with pytest.raises(UsageError, match=r"^--config .*/pipe is a pipe; expected a regular file"):
        refuse_special("--config", tmp_path / "pipe")
    with pytest.raises(UsageError, match="^/dev/null is a device"):
        refuse_special("", "/dev/null")
