"""Names and sizes, without building anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from keras_segmentation_parameters import PARAMETERS
from segnet_hpu.errors import UsageError
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.registry import MODELS, find, input_size, names

ROOT = Path(__file__).resolve().parents[2]


def test_all_names_of_keras_segmentation():
    assert len(PARAMETERS) == 22 and set(PARAMETERS) <= set(MODELS)


def test_default_sizes_are_keras_segmentations():
    for name in PARAMETERS:
        expected = (224, 224) if "mobilenet" in name else (360, 480) if name == "unet_mini" else \
            (473, 473) if name.startswith("pspnet_") else (384, 576) if "pspnet" in name else (416, 608)
        assert input_size(name) == expected, name


def test_every_encoder_goes_with_every_decoder():
    for encoder in encoders.names():
        for decoder in decoders.names():
            spec = find(f"{encoder}_{decoder}")
            assert (spec.encoder, spec.decoder) == (encoder, decoder)
            # The default size is one that the model takes.
            input_size(f"{encoder}_{decoder}")
    assert len(set(names())) == len(names()) >= len(MODELS) + 60


def test_a_line_wins_and_fcn_is_aligned_only_where_it_is_new():
    assert find("resnet50_segnet") is MODELS["resnet50_segnet"]
    assert find("deeplabv3plus") == find("resnet50_deeplabv3plus")
    assert not find("fcn_8_resnet50").options["aligned"]
    assert find("resnet50_fcn_8").options.items() >= {"stride": 8, "aligned": True}.items()


@pytest.mark.parametrize("name", ["resnet50", "unet_resnet50", "resnet50_", "_unet", "", "vgg_unet_unet"])
def test_what_is_no_name(name):
    with pytest.raises(UsageError, match="unknown model '.*segnet-hpu models"):
        find(name)


def test_a_wrong_name_is_refused_without_keras():
    code = ("import sys; from segnet_hpu import cli; status = cli.main(['train', '--model_name', 'resnet50_unnet']);"
            "print(status, {'numpy', 'keras', 'tensorflow'} & set(sys.modules) - {'numpy'})")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["2", "set()"]
    assert "Did you mean resnet50_unet?" in done.stderr
