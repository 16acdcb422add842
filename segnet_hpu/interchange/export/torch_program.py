"""The program that PyTorch exports of a network, from which files are written that need neither it nor Keras."""

import logging
import warnings
from typing import Any

import torch

from segnet_hpu.interchange.export.serving import Serving
from segnet_hpu.models.encoder_stages import divisor_of

ONNX_OPSET = 18
EXAMPLES = 2  # pictures; PyTorch would take 1 for a number that stays


class _Served(torch.nn.Module):
    """A Serving as PyTorch's module: image (B, H, W, 3), float32 -> the output."""

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self.network, self.output = serving.model, serving.output

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = self.network(image, training=False)
        if self.output == "logits":
            return logits
        if self.output == "softmax":
            return torch.softmax(logits, -1)
        scores = torch.nn.functional.interpolate(logits.movedim(-1, 1), image.shape[1:3], mode="bilinear")
        return scores.argmax(1).to(torch.uint8)


def program_of(serving: Serving) -> torch.export.ExportedProgram:
    """Return the exported program of a Serving: input `image`, any number of pictures, of any size if free."""
    _, height, width, channels = serving.model.input_shape
    free = [axis for axis, size in enumerate(serving.model.input_shape) if size is None]
    side = divisor_of(serving.model) or 32
    # Three different numbers, of which none is taken for another.
    example = torch.zeros(EXAMPLES, height or 3 * side, width or 4 * side, channels)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch's own deprecations
        return torch.export.export(_Served(serving).eval(), (example,), strict=False,
                                   dynamic_shapes={"image": {axis: torch.export.Dim.DYNAMIC for axis in free}})


def onnx_of(serving: Serving) -> bytes:
    """Return a serialised ModelProto of a Serving, opset 18."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it notes that torchvision is missing
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: Any = torch.onnx.export(program_of(serving), (), dynamo=True, opset_version=ONNX_OPSET, verbose=False,
                                      input_names=["image"], output_names=[serving.output], external_data=False)
    proto: bytes = made.model_proto.SerializeToString()
    return proto
