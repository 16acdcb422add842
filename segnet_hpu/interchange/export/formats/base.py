"""What the package asks of an export format. Imports nothing heavy, so that a wrong call is refused at once."""

import importlib.util
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from segnet_hpu.components import Choice, Registry
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.backends import installed

if TYPE_CHECKING:
    import numpy as np

    from segnet_hpu.interchange.export.serving import Serving

OUTPUTS = ("logits", "softmax", "classes")
# uint8 (H, W, 3); uint8 (B, H, W, 3) -> the output.
Pictures: TypeAlias = "Sequence[np.ndarray]"
Runner: TypeAlias = "Callable[[np.ndarray], np.ndarray]"


class ExportFormat(ABC):
    """One format, a FileFormat or a FolderFormat. The attributes say what it can do.

    name: of --format NAME. ending: of the file's name; "" for a folder. agreement: the least share of pixels that
    must have the class that Keras gives them. dtype: of the pictures that the file takes. batches: whether it takes
    several pictures a call. frees_size, calibrated: whether it can take pictures of any size, and whether it needs
    training pictures. backends: those of Keras that can write it. writers, readers: packages, beside these, that
    writing and running it need.
    """

    ending: ClassVar[str] = ""
    agreement: ClassVar[float] = 0.999
    dtype: ClassVar[str] = "float32"
    batches: ClassVar[bool] = True
    frees_size: ClassVar[bool] = True
    calibrated: ClassVar[bool] = False
    backends: ClassVar[tuple[str, ...]] = ("tensorflow",)
    writers: ClassVar[tuple[str, ...]] = ()
    readers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def load(self, path: Path, threads: int | None = None) -> Runner:
        """Return a function that runs what was written: uint8 pictures (B, H, W, 3) -> the output.

        threads: of the CPU, where the format lets us choose; None leaves it to whatever runs it.
        """

    @abstractmethod
    def labels_path(self, out: str | Path) -> Path:
        """Return where labels.json goes."""

    def packages(self, backend: str) -> tuple[str, ...]:
        """Return the packages that writing it needs beside a backend of Keras."""
        return self.writers

    def refuse_missing_packages(self, run: bool = False) -> None:
        """Raise UsageError where KERAS_BACKEND's backend cannot write it, or packages that it needs are missing.

        run: whether the file will also be run.
        """
        backend = os.environ["KERAS_BACKEND"]
        if backend not in self.backends:
            raise UsageError(self._out_of_reach(backend))
        missing = [p for p in self.packages(backend) + self.readers * run if not importlib.util.find_spec(p)]
        if missing:
            raise UsageError(f"--format {self.name} needs {' and '.join(missing)}, not installed here; "
                             "pip install 'segnet_hpu[export]'")

    def _out_of_reach(self, backend: str) -> str:
        """The message for a backend that cannot write it."""
        known = [name for name in self.backends if name in installed()]
        if known:
            return f"--format {self.name} is not written by {backend}; add --backend {' or '.join(known)}"
        others = [name for name, one in FORMATS.components().items() if backend in one.target.backends]
        return (f"--format {self.name} is written by {' or '.join(self.backends)}, not installed here; with "
                f"{backend} expected --format {', '.join(others)}. Or run run_scripts/setup_env.sh cpu")


class FileFormat(ExportFormat):
    """A format of a single file; its labels lie beside it as FILE.labels.json."""

    @abstractmethod
    def convert(self, serving: "Serving", calibration: Pictures = ()) -> bytes:
        """Return what the file holds. calibration: uint8 pictures (H, W, 3) of the training, where it is calibrated.

        May raise anything where the network cannot be converted.
        """

    def labels_path(self, out: str | Path) -> Path:
        return Path(f"{out}.labels.json")


class FolderFormat(ExportFormat):
    """A format of a folder.

    kind: what one is called. marker: the file that each has. labels: where labels.json lies in it.
    """

    kind: ClassVar[str]
    marker: ClassVar[str]
    labels: ClassVar[str] = "labels.json"

    @abstractmethod
    def write(self, serving: "Serving", folder: Path) -> None:
        """Write into a new folder. Raises OSError where the disk refuses."""

    def labels_path(self, out: str | Path) -> Path:
        return Path(out) / self.labels


FORMATS = Registry("format", flag="--format", package=__package__,
                   expected="a class derived from FileFormat or FolderFormat of "
                            "segnet_hpu.interchange.export.formats",
                   accepts=lambda found: isinstance(found, type) and issubclass(found, ExportFormat))


def make_format(name: Any) -> ExportFormat:
    """Return the format of a registered name, of MODULE:NAME, or of a choice of these with options."""
    return FORMATS.make(name, name=str(name if isinstance(name, Choice) else Choice(name)))
