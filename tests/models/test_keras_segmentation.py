"""Equal outputs with keras_segmentation's weights; needs its own environment, so most machines skip it."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

COMPARE = Path(__file__).resolve().parents[2] / "benchmarks/compare_keras_segmentation.py"


@pytest.mark.parametrize("name", ["vgg_segnet", "segnet", "resnet50_unet", "fcn_8_mobilenet", "vgg_pspnet"])
def test_the_same_weights_give_the_same_softmax(name):
    python = os.environ.get("SEGNET_KERAS_SEGMENTATION")
    if not python:
        pytest.skip("SEGNET_KERAS_SEGMENTATION does not name the Python that benchmarks/"
                    "setup_keras_segmentation.sh makes")
    spec = importlib.util.spec_from_file_location("compare", COMPARE)
    compare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compare)
    theirs, ours = compare.outputs(python, name)
    assert theirs.std() > 0.1  # far from uniform, so that a difference would show
    np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)
