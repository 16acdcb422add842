"""Runs that earlier versions began go on with the geometry that they were made with."""

from types import SimpleNamespace

import pytest

from segnet_hpu import config
from segnet_hpu.training import preparation
from segnet_hpu.training.settings import Settings

HARDWARE = SimpleNamespace(ranks=SimpleNamespace(rank=0))
FOLDER = SimpleNamespace(prefix="run/checkpoints/net")
EARLIER = ("bilinear", "centre", False, "constant")


def geometry(noted, monkeypatch, **values):
    monkeypatch.setattr(preparation, "newest_made_with", lambda prefix: noted)
    settings = config.from_values(Settings, model_name="resnet18_unet", n_classes=3, train_images="a",
                                  train_annotations="b", **values)
    settings = preparation._as_it_began(settings, HARDWARE, FOLDER)
    return settings.image_downsampling, settings.label_downsampling, settings.align_maps, settings.average_momentum


@pytest.mark.parametrize("noted,values,expected", [
    ({"model_name": "resnet18_unet"}, {}, EARLIER),
    ({"model_name": "resnet18_unet"}, {"allow_change": "image_downsampling"}, ("area", "centre", False, "constant")),
    ({"image_downsampling": "area", "label_downsampling": "centre", "align_maps": True, "average_momentum": "rising"},
     {}, ("area", "centre", True, "rising")),
    (None, {}, ("area", "centre", True, "rising")),
])
def test_what_a_resumed_run_takes(noted, values, expected, monkeypatch, capsys):
    assert geometry(noted, monkeypatch, auto_resume_checkpoint=True, **values) == expected
    told = capsys.readouterr().out
    assert ("it goes on with" in told) == (expected[2] is False)
    flags = "--image_downsampling bilinear --align_maps false --average_momentum constant"
    assert (flags in told) == (expected == EARLIER)


def test_a_new_run_does_not_look(monkeypatch):
    assert geometry({}, monkeypatch) == ("area", "centre", True, "rising")
