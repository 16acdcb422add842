"""Where a run's files go, and how often."""

from dataclasses import dataclass

from segnet_hpu.config import option


@dataclass(kw_only=True)
class Output:
    """Where a run's files go, and how often."""

    GROUP = "output"

    model_dir: str | None = option(None, "folder of the run; runs/MODEL if neither this nor checkpoints_path "
                                   "is set")
    checkpoints_path: str | None = option(None, "prefix of the checkpoints' names")
    auto_resume_checkpoint: bool = option(False, "go on from the newest readable checkpoint")
    save_steps: int | None = option(None, "also save every so many steps", minimum=1)
    save_minutes: float = option(10.0, "also save when this time has passed since the last checkpoint",
                                 minimum=0.0)
    keep_checkpoints: int = option(2, "newest checkpoints that are kept beside the best", minimum=1)
    tensorboard: str | None = option(None, "folder of TensorBoard's files; RUN/tensorboard if not set")
    val_pictures: int = option(8, "validation pictures written at the end and to TensorBoard", minimum=0)
