"""PyTorch's exported program."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.interchange.export.formats.base import FORMATS, FileFormat, Pictures, Runner

if TYPE_CHECKING:
    from segnet_hpu.interchange.export.serving import Serving


@FORMATS.register("torch_export")
class TorchExport(FileFormat):
    """One file for `torch.export.load`, which runs it without Keras; written by PyTorch."""

    ending = ".pt2"
    backends = ("torch",)

    def convert(self, serving: "Serving", calibration: Pictures = ()) -> bytes:
        """Return the archive of an ExportedProgram."""
        import torch

        from segnet_hpu.interchange.export.torch_program import program_of

        file = io.BytesIO()
        torch.export.save(program_of(serving), file)
        return file.getvalue()

    def load(self, path: Path, threads: int | None = None) -> Runner:
        """As ExportFormat.load; PyTorch's own count of threads holds."""
        import torch

        network = torch.export.load(path).module()
        return lambda images: network(torch.from_numpy(images).float()).detach().numpy()
