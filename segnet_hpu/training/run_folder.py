"""Where a run's files lie."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.files import refuse_unwritable, write_text
from segnet_hpu.training.run_lock import RunLock

if TYPE_CHECKING:
    import keras

    from segnet_hpu.training.settings import Settings


WRITTEN = ("metrics.csv", "evaluation.json", "report.html", "precision_recall.png", "pictures")


@dataclass
class RunFolder:
    """The places of a run. folder: the run's; prefix: of its checkpoints' names. lock: on both."""

    folder: Path
    prefix: Path
    tensorboard: Path
    lock: RunLock = field(init=False)

    def __post_init__(self) -> None:
        self.lock = RunLock([self.folder / ".lock", self.prefix.with_name(f".{self.prefix.name}.lock")])

    @classmethod
    def of(cls, settings: Settings, model_name: str | None) -> RunFolder:
        """Return the places that the settings mean; model_dir, else the checkpoints' own folder."""
        model_name = (model_name or "").rpartition(":")[2].strip("<>")  # of MODULE:NAME, and of <lambda>
        prefix = settings.checkpoints_path and Path(settings.checkpoints_path)
        if prefix and not prefix.name:
            raise UsageError(f"--checkpoints_path {settings.checkpoints_path} is a folder; expected the beginning of "
                             "the checkpoints' names, such as checkpoints/street")
        folder = Path(settings.model_dir or (prefix.with_name(f"{prefix.name}_run") if prefix
                                             else Path("runs") / f"{model_name}"))
        return cls(folder, prefix or folder / "checkpoints" / f"{model_name}",
                   Path(settings.tensorboard or folder / "tensorboard"))

    @property
    def model_config(self) -> Path:
        return Path(f"{self.prefix}_config.json")

    @property
    def best(self) -> Path:
        return Path(f"{self.prefix}.best.keras")

    def check(self, resume: bool) -> None:
        """Raise UsageError where nothing could be written or another run would be lost. Writes nothing."""
        if (self.folder / "config.yaml").exists() and not self.model_config.exists():
            raise UsageError(f"{self.folder} holds a run of another model; choose another --model_dir")
        taken = [name for name in WRITTEN if (self.folder / name).exists()]
        if taken and not (self.folder / "config.yaml").exists():
            raise UsageError(f"{self.folder} holds {taken[0]}, and no run; choose another --model_dir")
        refuse_unwritable("--model_dir", self.folder, folder=True)
        refuse_unwritable("--checkpoints_path", self.prefix.parent, folder=True)
        refuse_unwritable("--tensorboard", self.tensorboard, folder=True)
        if not resume and self._holds_a_run():
            raise UsageError(f"{self.prefix.parent} already holds a run; add --auto_resume_checkpoint to go on "
                             "with it, or choose another --model_dir or --checkpoints_path")

    def _holds_a_run(self) -> bool:
        if self.best.exists():
            return True
        if not any(self.prefix.parent.glob("*.keras")):
            return False
        # Keras comes with it: not for a fresh folder, where a refusal or a launch shall not wait for it.
        from segnet_hpu.training.checkpoint import list_checkpoints

        return bool(list_checkpoints(self.prefix))

    def claim(self, resume: bool, shared: bool = False) -> None:
        """Make the folders and take their lock, but where they are shared by workers that come and go.

        Raises RunError where that fails, UsageError where another run has come first.
        """
        try:
            for place in (self.folder, self.prefix.parent, self.tensorboard):
                place.mkdir(parents=True, exist_ok=True)
                (place / ".writable").touch()
                (place / ".writable").unlink(missing_ok=True)  # elastic workers come here at once
            if not shared:
                self.lock.take()
                self.check(resume)
        except OSError as error:
            raise RunError(f"cannot write into {place}: {error.strerror}; choose another --model_dir") from None

    def refuse_removed(self) -> None:
        """Raise RunError if the folder of a run that has begun is gone, or is another one now."""
        if not (self.folder / "config.yaml").exists() or not self.lock.in_place():
            raise RunError(f"{self.folder} was removed or replaced while the run was writing into it; what it held "
                           "is gone. Train anew, and leave the folder as it is until the run ends")

    def write_model_config(self, model: keras.Model) -> None:
        """Write PREFIX_config.json as keras_segmentation does."""
        _, height, width, _ = model.input_shape
        _, output_height, output_width, n_classes = model.output_shape
        write_text(self.model_config, json.dumps({
            "model_class": model.name, "n_classes": n_classes, "input_height": height, "input_width": width,
            "output_height": output_height, "output_width": output_width}))


def files_of_run(checkpoints_path: str) -> set[str]:
    """Return the paths of what a run wrote beside its checkpoints; empty without a run's folder.

    checkpoints_path: the run's folder, that of its checkpoints, one of these or their prefix.
    """
    path = Path(checkpoints_path).absolute()
    folders = (path, path.parent) if path.is_dir() else (path.parent.parent,)
    folder = next((folder for folder in folders if (folder / "config.yaml").exists()), None)
    if folder is None:
        return set()
    written = [folder / name for name in ("config.yaml", *WRITTEN)]
    return {str(path) for path in [*written, *(folder / "pictures").glob("*")] if path.is_file()}
