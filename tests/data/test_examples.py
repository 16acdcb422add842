"""The examples of docstrings are run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", [
    "constants", "errors", "data.augmentation", "data.classes", "data.datasets.description_writing",
    "data.datasets.patterns", "data.download", "data.prefetch", "data.sampling", "data.preprocessing",
    "samples.scene"])
def test_examples(module):
    failed, run = doctest.testmod(importlib.import_module(f"segnet_hpu.{module}"))
    assert run and not failed
