"""What is wrong with a file and how to mend it, as an error and as an entry of a list."""

from collections.abc import Sequence
from dataclasses import dataclass

from segnet_hpu.errors import DataError
from segnet_hpu.files import StrPath


class BadFile(DataError):
    """A file that cannot be used: `file`, `what` is wrong with it and how to `fix` it."""

    def __init__(self, file: StrPath, what: str, fix: str) -> None:
        super().__init__(f"{file} {what}; {fix}")
        self.file, self.what, self.fix = str(file), what, fix


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file (or folder), and how to mend it."""

    file: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file} {self.what}; {self.fix}"

    @classmethod
    def of(cls, error: BadFile) -> "Fault":
        """Return the fault that an error of reading tells."""
        return cls(error.file, error.what, error.fix)

    @property
    def error(self) -> BadFile:
        """The error that tells this fault."""
        return BadFile(self.file, self.what, self.fix)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise DataError for the first of the faults, if there is one; it says how many more there are."""
    if faults:
        more = f" (and {len(faults) - 1} more: segnet-hpu verify_dataset lists them)" if len(faults) > 1 else ""
        raise DataError(f"{faults[0]}{more}")
