"""OpenVINO, Intel's runtime for its processors, graphics and NPUs."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.interchange.export.formats.base import FORMATS, FolderFormat, Runner

if TYPE_CHECKING:
    from segnet_hpu.interchange.export.serving import Serving


@FORMATS.register("openvino")
class OpenVino(FolderFormat):
    """Folder with model.xml and model.bin for OpenVINO; written by PyTorch, needs `pip install openvino`."""

    kind, marker = "a model of OpenVINO", "model.xml"
    backends = ("torch",)
    writers = ("openvino",)

    def write(self, serving: "Serving", folder: Path) -> None:
        import openvino

        from segnet_hpu.interchange.export.torch_program import program_of

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what PyTorch will drop and OpenVINO uses
            model = openvino.convert_model(program_of(serving))
        model.inputs[0].set_names({"image"})
        model.outputs[0].set_names({serving.output})
        openvino.save_model(model, folder / self.marker, compress_to_fp16=False)

    def load(self, path: Path, threads: int | None = None) -> Runner:
        import openvino

        # fp32 on processors that would take bf16 for it.
        options = {"INFERENCE_PRECISION_HINT": "f32"} | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
        model = openvino.compile_model(path / self.marker, "CPU", options)
        return lambda images: model(images.astype("float32"))[0]
