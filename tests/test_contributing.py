"""CONTRIBUTING.md's examples: commits of the history that needed as many source files as it says."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| 1[^|]* \| `git show (\w+)` \|", TEXT, re.MULTILINE)


def test_there_is_an_example_of_each_kind():
    text = " ".join(name for name, _ in ROWS)
    for kind in ("loss", "encoder", "decoder", "data set", "transform", "export format"):
        assert kind in text


@pytest.mark.parametrize("name,commit", ROWS)
def test_it_took_one_source_file(name, commit):
    try:
        done = subprocess.run(["git", "show", "--format=", "--name-only", commit], cwd=ROOT, capture_output=True,
                              text=True)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if done.returncode:
        pytest.skip("the history is not here: a shallow clone, or no clone at all")
    sources = [path for path in done.stdout.split() if path.startswith("segnet_hpu/")]
    assert len(sources) == 1, name
