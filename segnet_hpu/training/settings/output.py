"""Where a run's files go, and how often."""

from dataclasses import dataclass

from segnet_hpu.config import option


@dataclass(kw_only=True)
class Output:
    """Where a run's files go, and how often."""

    GROUP = "output"

    model_dir: str | None = option(None, "folder of the run; runs/MODEL if neither this nor checkpoints_path "
                                   "is set", changes="nothing")
    checkpoints_path: str | None = option(None, "prefix of the checkpoints' names", changes="nothing")
    auto_resume_checkpoint: bool = option(False, "go on from the newest readable checkpoint", changes="nothing")
    allow_change: str | None = option(None, "settings a,b, or data, in which a run that goes on may differ from what "
                                      "it was made with; noted in metrics.csv", changes="nothing")
    save_steps: int | None = option(None, "also save every so many steps", minimum=1, changes="nothing")
    save_minutes: float = option(10.0, "also save when this time has passed since the last checkpoint",
                                 minimum=0.0, changes="nothing")
    keep_checkpoints: int = option(2, "newest checkpoints that are kept beside the best", minimum=1,
                                   changes="nothing")
    tensorboard: str | None = option(None, "folder of TensorBoard's files; RUN/tensorboard if not set",
                                     changes="nothing")
    val_pictures: int = option(8, "validation pictures written at the end and to TensorBoard", minimum=0,
                               changes="nothing")
