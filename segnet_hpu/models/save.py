"""Write a model as the file that `load_model` reads: whole, or not at all."""

import json
import os
import zipfile
from pathlib import Path

from segnet_hpu.errors import RunError

# Of a file that is not whole yet. Keras wants the ending .keras; a dot in front keeps it out of every listing.
PARTIAL = ".partial.keras"


def write_model(path, model, facts, advice, add=lambda archive: None):
    """Write the network of a model, without its training set-up, and `facts` (a JSON-able dict); atomic.

    advice: what to do where it cannot be written, for the error. add: a function that puts more into the
    open zipfile. Makes the folder if need be. Raises RunError if it cannot be written.
    """
    import keras

    path = Path(path)
    partial = path.with_name(f".{path.stem}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A plain twin that shares the layers: the file holds the network, not the training set-up.
        keras.Model(model.input, model.output, name=model.name).save(partial)
        with zipfile.ZipFile(partial, "a") as archive:
            archive.writestr("segnet_hpu/facts.json", json.dumps(facts))
            add(archive)
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(f"cannot write checkpoint {path}: {reason}; {advice}") from error


def _sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
