"""Runs that earlier versions began go on with the geometry that they were made with."""

from types import SimpleNamespace

import pytest

from segnet_hpu import config
from segnet_hpu.training import preparation
from segnet_hpu.training.settings import Settings

HARDWARE = SimpleNamespace(ranks=SimpleNamespace(rank=0))
FOLDER = SimpleNamespace(prefix="run/checkpoints/net")
EARLIER = ("bilinear", "centre", False)


def geometry(noted, monkeypatch, **values):
    monkeypatch.setattr(preparation, "newest_made_with", lambda prefix: noted)
    settings = config.from_values(Settings, model_name="resnet18_unet", n_classes=3, train_images="a",
                                  train_annotations="b", **values)
    settings = preparation._as_it_began(settings, HARDWARE, FOLDER)
    return settings.image_downsampling, settings.label_downsampling, settings.align_maps


@pytest.mark.parametrize("noted,values,expected", [
    ({"model_name": "resnet18_unet"}, {}, EARLIER),
    ({"model_name": "resnet18_unet"}, {"allow_change": "image_downsampling"}, ("area", "centre", False)),
    ({"image_downsampling": "area", "label_downsampling": "centre", "align_maps": True}, {},
     ("area", "centre", True)),
    (None, {}, ("area", "centre", True)),
])
def test_what_a_resumed_run_takes(noted, values, expected, monkeypatch, capsys):
    assert geometry(noted, monkeypatch, auto_resume_checkpoint=True, **values) == expected
    told = capsys.readouterr().out
    assert ("it goes on with" in told) == (expected[2] is False)
    assert ("--image_downsampling bilinear --align_maps false" in told) == (expected == EARLIER)


def test_a_new_run_does_not_look(monkeypatch):
    assert geometry({}, monkeypatch) == ("area", "centre", True)
