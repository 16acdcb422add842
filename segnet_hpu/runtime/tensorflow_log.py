"""Keep from the user what TensorFlow notes while it is imported, and that each network has a graph of its own.

Other warnings, and errors, pass. TensorFlow 2.20 and later write their notes before they read TF_CPP_MIN_LOG_LEVEL,
when the shared library is loaded.
"""

import contextlib
import importlib.util
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_NOTES = r"/^I[0-9]\{4\} /d; /^WARNING: All log messages before absl::InitializeLog/d"

# The functions that training and prediction compile, as TensorFlow's warnings have them.
_OURS = ("compile_step.<locals>", "compile_forward.<locals>", "make_predict_function.<locals>")


def silence() -> None:
    """Have TensorFlow's next import in this process be silent."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" not in sys.modules and os.name == "posix":
        sys.meta_path.insert(0, _Finder())


def silence_retracing() -> None:
    """Have TensorFlow not warn that one process traces our functions again and again: once for each network."""
    logging.getLogger("tensorflow").addFilter(_is_for_users)  # twice does no harm


def _is_for_users(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return "triggered tf.function retracing" not in message or not any(name in message for name in _OURS)


class _Finder:
    """Finds TensorFlow as Python does, with a loader that is silent."""

    def find_spec(self, name: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == "tensorflow" else None
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        return importlib.util.spec_from_file_location(
            name, spec.origin, loader=_Loader(name, spec.loader.path),
            submodule_search_locations=spec.submodule_search_locations)


class _Loader(SourceFileLoader):
    """Runs TensorFlow's package without its notes."""

    def exec_module(self, module: ModuleType) -> None:
        with _without_notes():
            super().exec_module(module)


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    """Send standard error through sed, a process of its own: what is written passes even if this one is aborted."""
    try:
        sys.stderr.flush()
        stderr = os.dup(2)
        sed = subprocess.Popen(["sed", "-u", _NOTES], stdin=subprocess.PIPE, stdout=stderr)
    except (OSError, AttributeError):  # there is no sed, or no standard error
        yield
        return
    assert sed.stdin
    os.dup2(sed.stdin.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        sed.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a program that the import left behind holds the pipe
            sed.wait(timeout=5)
