"""Fixtures of the tests of bad inputs."""

import os
import shlex

import pytest

from judging import contents, is_one_line, write_pair
from segnet_hpu.cli import main


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder that commands run in: two sound pairs of two classes; no SEGNET_ variable is set."""
    for name in [name for name in os.environ if name.startswith("SEGNET_")]:
        monkeypatch.delenv(name)
    for stem in "ab":
        write_pair(tmp_path, stem)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(place, capsys):
    """Run a command that must fail; judge its status, its one line and that no file was touched.

    command: as typed. words: what the line must hold. status: 2 for a wrong call or bad data, 1 for a
    failure while running. begun: a folder that may appear. Returns the line.
    """
    def judge(command, words, status=2, begun=None):
        before = contents(place)
        capsys.readouterr()
        found = main(shlex.split(command))
        err = capsys.readouterr().err
        after = {path: what for path, what in contents(place).items()
                 if begun is None or path in before or path.split(os.sep)[0] != begun}
        assert is_one_line(err), err
        assert [word for word in words if word not in err] == [], err
        assert found == status and "error of ours" not in err, err
        assert after == before
        return err

    return judge
