"""What commands that write files have in common."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from segnet_hpu.config import option
from segnet_hpu.files import StrPath, refuse_replacing, refuse_unwritable


@dataclass(kw_only=True)
class Outputs:
    """What becomes of a file that an output would replace."""

    overwrite: bool = option(False, "replace files at the output also where they are read here, or were not written "
                             "by this package")

    def check_output(self, name: str, kind: str, read: Iterable[StrPath] = ()) -> None:
        """Raise UsageError where the file that setting `name` means, if any, cannot be written or would be a loss.

        kind: what is written there, one of `signature`'s kinds. read: the files that the command reads.
        """
        path = getattr(self, name)
        if path is not None:
            refuse_unwritable(f"--{name}", path)
            self.check_replaced(name, [path], (kind,), read)

    def check_replaced(self, name: str, paths: Iterable[StrPath], kinds: Collection[str],
                       read: Iterable[StrPath] = ()) -> None:
        """Raise UsageError where one of the files that setting `name` leads to exists and would be a loss."""
        for path in () if self.overwrite else paths:
            refuse_replacing(f"--{name}", path, read, kinds=kinds)
