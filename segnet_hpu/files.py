"""Writing files so that a failure leaves the old one whole."""

import os

from segnet_hpu.errors import UsageError


def replace_file(path, data):
    """Write bytes to `path` in one step, through a temporary file beside it.

    Raises UsageError where the folder is missing or cannot be written.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(21, "it is a folder")
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise UsageError(f"cannot write {path} ({error.strerror}); expected a file's name in a folder "
                         "that exists and may be written") from None
