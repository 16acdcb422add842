"""TensorFlow's notes at its import are kept from the user; what else it says is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TALKS = r"""
import os
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
            b"I0000 00:00:17.6 12 port.cc:153] oneDNN custom operations are on.\n"
            b"W0000 00:00:17.6 12 gpu.cc:1] no driver\nE0000 00:00:17.6 12 fft.cc:4] registered twice\n")
"""


def imports(folder, tensorflow, code):
    """The process of a Python that runs the code, where TensorFlow is this text."""
    (folder / "tensorflow").mkdir()
    (folder / "tensorflow" / "__init__.py").write_text(tensorflow)
    return subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"})


def test_warnings_and_errors_pass(tmp_path):
    done = imports(tmp_path, TALKS, "import os, segnet_hpu, tensorflow; os.write(2, b'I0000 of mine\\n')")
    assert done.returncode == 0
    assert [line.split(" ", 1)[0] for line in done.stderr.splitlines()] == ["W0000", "E0000", "I0000"]


@pytest.mark.parametrize("end, status, last", [
    ("os.write(2, b'F0000 no AVX\\n'); os.abort()", -6, "F0000 no AVX"), ("raise ImportError('no so')", 1,
                                                                         "ImportError: no so")])
def test_an_import_that_fails_says_why(tmp_path, end, status, last):
    done = imports(tmp_path, TALKS + end, "import segnet_hpu, tensorflow")
    assert done.returncode == status and done.stderr.splitlines()[-1] == last


def test_the_real_one_is_silent(tmp_path):
    pytest.importorskip("tensorflow")
    done = subprocess.run([sys.executable, "-c", "import segnet_hpu, keras; keras.ops.ones(1)"], text=True,
                          capture_output=True, timeout=200, env={**os.environ, "PYTHONPATH": str(ROOT)})
    noted = [line for line in done.stderr.splitlines() if "oneDNN" in line or "absl" in line or "AVX" in line]
    assert done.returncode == 0 and noted == []
