"""Export formats.

A new format is one new file here, an ExportFormat under @FORMATS.register: flags, help and docs/reference.md then
know it.
"""

from segnet_hpu.interchange.export.formats.base import (
    FORMATS,
    OUTPUTS,
    ExportFormat,
    FileFormat,
    FolderFormat,
    Pictures,
    make_format,
)

__all__ = ["FORMATS", "OUTPUTS", "ExportFormat", "FileFormat", "FolderFormat", "Pictures", "make_format"]
