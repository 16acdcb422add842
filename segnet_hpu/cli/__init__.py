"""The command line. Each command is one module with a `Settings` dataclass and `run(settings)`.

A package with COMMANDS of its own is a group of them: `segnet-hpu GROUP COMMAND [flags]`. Nothing heavy is
imported here, so that help and refusals answer at once.
"""

import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from segnet_hpu import __version__, config
from segnet_hpu.data.datasets.layout import LayoutError
from segnet_hpu.data.image_coding import ImageSettings, limit_pixels
from segnet_hpu.errors import DataError, SegnetError, UsageError, nearest, without_secrets
from segnet_hpu.runtime.backends import BACKENDS, missing

COMMANDS = {
    "train": "train a model; goes on from where it was with --auto_resume_checkpoint",
    "predict": "label a picture or a folder of pictures",
    "predict_video": "label a video or what a camera sees",
    "export": "write a model in a format that runs without this package, and check it",
    "evaluate_model": "score a checkpoint against labels at their full resolution",
    "recalibrate": "count a model's statistics of batch normalisation anew",
    "demo": "draw a contact sheet and an HTML page of what a model makes of a folder",
    "tune": "search for better settings of a training",
    "verify_dataset": "list every fault of a data set; exit status 1 when there is one",
    "visualize_dataset": "draw images and labels into one picture",
    "dataset": "inspect, split, convert, measure or augment a data set",
    "sample_data": "draw a small street data set from a seed",
    "prepare_data": "bring dataset1 into place: keep, unpack, download or draw samples",
    "import_caffe": "make a model with the weights of a .caffemodel",
    "models": "list the networks, what they cost and what they start from",
    "reference": "print every setting of training and every component as Markdown",
    "doctor": "show devices, versions and which presets can run here",
}

PROG = "segnet-hpu"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status (0 well, 1 failed while running, 2 wrong call)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    argv = [a for a in argv if a != "--debug"]
    if hasattr(sys.stdout, "reconfigure"):
        # A file's name may hold bytes that are no text.
        sys.stdout.reconfigure(errors="backslashreplace")
    if argv[:1] == ["--version"]:
        print(f"segnet_hpu {__version__}")
        return 0
    try:
        return _run(argv, COMMANDS, __name__, PROG)
    except SegnetError as error:
        if debug:
            raise
        _say(error)
        print(getattr(error, "lines", ""), end="", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        _say("stopped")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output left (`| head`): say nothing more to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        if isinstance(error, ModuleNotFoundError) and error.name in ("keras", *BACKENDS):
            _say(missing(error.name))
            return UsageError.exit_status
        _say(f"{type(error).__name__}: {error} (an error of ours; --debug shows where)")
        return 1


def _say(message: object) -> None:
    """Print one line, also for a file name or a library's message that has several; all of a LayoutError."""
    if isinstance(message, LayoutError):
        print(f"{PROG}: {message}", file=sys.stderr)
        return
    if str(message):  # a rank that ends because another one failed has nothing to say
        print(f"{PROG}:", *without_secrets(str(message)).splitlines(), file=sys.stderr)


def _run(argv: Sequence[str], commands: Mapping[str, str], package: str, prog: str) -> int:
    """Run the command that argv[0] names among those of `package`."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_help(commands, prog))
        return 0 if argv else 2
    name, *rest = argv
    if name not in commands:
        raise UsageError(f"unknown command {name!r}.{nearest(name, commands)} See {prog} --help")
    module, prog = importlib.import_module(f"{package}.{name}"), f"{prog} {name}"
    if hasattr(module, "COMMANDS"):
        return _run(rest, module.COMMANDS, module.__name__, prog)
    settings = config.read(module.Settings, rest, prog=prog)
    if isinstance(settings, ImageSettings):
        limit_pixels(settings.max_pixels)
    try:
        return module.run(settings) or 0
    except DataError as error:
        from segnet_hpu.cli.cures import cure

        error.lines = cure(settings)
        raise


def _help(commands: Mapping[str, str], prog: str) -> str:
    width = max(map(len, commands))
    also = f"python -m segnet_hpu{prog.removeprefix(PROG)}"
    lines = [f"usage: {prog} COMMAND [flags]   (also: {also} COMMAND)", ""]
    lines += [f"  {name:<{width}}  {text}" for name, text in commands.items()]
    lines += ["", "Every command: --help for its flags, --debug for a traceback."]
    return "\n".join(lines)
