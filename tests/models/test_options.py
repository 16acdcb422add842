"""--model_options: which options there are, their values, and that they reach the model."""

import inspect

import pytest
import yaml

from segnet_hpu import config
from segnet_hpu.errors import UsageError
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.networks import networks
from segnet_hpu.models.options import model_options
from segnet_hpu.models.registry import MODELS, find
from segnet_hpu.training.settings import Settings

REQUIRED = dict(n_classes=2, train_images="images", train_annotations="labels")


def settings(**values):
    return config.from_values(Settings, **REQUIRED | values)


@pytest.mark.parametrize("model,text,expected", [
    ("fcn_8s_vgg", "skip_scale=at_once, dropout=0.3", {"skip_scale": (1e-4, 1e-2), "dropout": 0.3}),
    ("resnet50_fcn_8_wide", "skip_scale=0.5:1e-3,width=64", {"skip_scale": (0.5, 1e-3), "width": 64}),
    ("fcn_8s_vgg", "sigma=none,skip_scale=none", {"sigma": None, "skip_scale": None}),
    ("deeplabv3plus", "output_stride=8,separable=true", {"output_stride": 8, "separable": True}),
    ("vgg_segnet", {"level": 2, "use_upsampling": False}, {"level": 2, "use_upsampling": False}),
    ("fcn_8_vgg", {"skip_scale": [0.001, 0.01], "sigma": None}, {"skip_scale": (0.001, 0.01), "sigma": None}),
    ("unet", None, {}),
])
def test_text_and_mappings(model, text, expected):
    asked = settings(model_name=model, model_options=text)
    assert model_options(model, asked.model_options) == expected
    # A run's config.yaml and the flags of its workers say the same.
    assert config.from_values(Settings, **yaml.safe_load(config.to_yaml(asked))) == asked
    assert config.read(Settings, config.to_flags(asked, {}), prog="train", environ={}) == asked


@pytest.mark.parametrize("model,text,message", [
    ("fcn_8s_vgg", "drop=0.5", "has no option drop; it has stride, aligned, width, .* Did you mean dropout"),
    ("pspnet", "dropout=0.5", "pspnet has no option dropout; it has none"),
    ("fcn_8s_vgg", "dropout=1", "--model_options dropout is 1.0; expected a number of at least 0.0 and at most 0.99"),
    ("fcn_8s_vgg", "skip_scale=1:2:3", "skip_scale is '1:2:3'; expected none, at_once .* two numbers"),
    ("deeplabv3plus", "output_stride=4", "output_stride is 4; expected one of 8, 16"),
])
def test_refusals(model, text, message):
    with pytest.raises(UsageError, match=message):
        model_options(model, text)


def test_what_is_no_list_of_options():
    for value in ("dropout", "dropout=", "=3", "dropout=0.5,,", 5):
        with pytest.raises(UsageError, match="model_options is .* expected options such as dropout=0.5"):
            settings(model_name="fcn_8s_vgg", model_options=value)


def test_they_reach_the_model():
    from segnet_hpu.training.model_setup import make_model

    model = make_model(settings(model_name="vanilla_deeplabv3plus", input_height=32, input_width=32,
                                model_options="output_stride=8,separable=true"))
    assert model.get_layer("aspp_rate36_depthwise").dilation_rate == (36, 36)
    assert model.get_layer("stage5_conv").output.shape[1:3] == (4, 4)


def test_the_registry_says_what_the_decoders_and_networks_take():
    pairs = [(f"vanilla_{name}", decoders.find(name).target) for name in decoders.names()]
    pairs += [(name, networks.find(name).target) for name in ("segnet_basic", "segnet_vgg16", "enet", "unet_mini")]
    for name, build in pairs:
        takes = dict(list(inspect.signature(build).parameters.items())[2:])
        takes.pop("blocks", None)  # of Python callers
        takes.pop("corner_grid", None)  # of build_model, which knows the encoder
        options = find(name).options
        assert set(options) == set(takes), name
        for option, parameter in takes.items():
            assert parameter.default in (inspect.Parameter.empty, options[option]), (name, option)
    assert all(set(spec.options) <= set(spec.body.options) for spec in MODELS.values())
