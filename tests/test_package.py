"""What `import segnet_hpu` shows, and that it is quick about it."""

import subprocess
import sys

import pytest

import segnet_hpu


def test_its_names_are_what_they_say():
    for name in segnet_hpu.__all__:
        assert getattr(segnet_hpu, name).__name__ == name
        assert name in dir(segnet_hpu)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        segnet_hpu.lode  # noqa: B018


def test_it_imports_nothing_heavy():
    code = "import segnet_hpu, sys; print([m for m in ('keras', 'tensorflow', 'numpy', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
