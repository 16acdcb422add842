"""`segnet-hpu tune`: search for better settings of a training."""

import dataclasses
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from segnet_hpu import config
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.augmentation import refuse_unused_augmentation
from segnet_hpu.errors import UsageError
from segnet_hpu.files import refuse_replacing, refuse_unwritable
from segnet_hpu.search.space import read_space
from segnet_hpu.signature import TRIAL
from segnet_hpu.training import settings as training
from segnet_hpu.training.check import check
from segnet_hpu.training.dataset_settings import complete_from_dataset

PACKAGES = {"optuna": "optuna>=4,<6", "matplotlib": "matplotlib>=3.7"}
WRITTEN = ("trials.csv", "history.png", "settings.png", "epochs.png")


@dataclass(kw_only=True)
class Settings(training.Settings):
    """Train with many settings and find the best by validation mean IoU; takes all that train takes, and more."""

    space: str = option(REQUIRED, "YAML file of what varies: setting: {low: 1e-4, high: 1e-2, log: true} or "
                        "{choices: [a, b]}", group="search")
    trials: int = option(20, "trainings in all, those of an earlier call with this --out included", minimum=1,
                         group="search")
    out: str = option("runs/tune", "folder of the search; the same command goes on where it was killed",
                      group="search")
    prune: bool = option(True, "end a trial that is below the median of the earlier ones after as many epochs",
                         group="search")


def run(settings: Settings) -> None:
    if settings.print_config:
        print(config.to_yaml(settings), end="")
        return
    base = _training(settings)
    space = read_space(settings.space)
    if "do_augment" not in space:
        refuse_unused_augmentation(settings)
    refuse_unwritable("--out", settings.out, folder=True)
    _refuse_replacing(settings)
    _require_packages()
    from segnet_hpu.search.results import summary
    from segnet_hpu.search.study import search

    study = search(base, space, settings.out, settings.trials, settings.prune)
    print(summary(study))
    print(f"best: trial {study.best_trial.number}, validation mean IoU {study.best_value:.4f}. Next: "
          f"segnet-hpu train --config {settings.out}/best.yaml")


def _training(settings: Settings) -> training.Settings:
    """Return the settings of a trial before anything varies; raise UsageError where they cannot work."""
    if settings.distributed or settings.dry_run:
        raise UsageError("tune trains on one worker; leave out --distributed and --dry_run")
    if settings.monitor not in (None, "val_mean_iou") or settings.epochs == "auto":
        raise UsageError("tune judges by val_mean_iou after a number of epochs; leave out --monitor, give --epochs "
                         "a number")
    for name in ("dump_config", "timeline"):
        if getattr(settings, name) is not None:
            raise UsageError(f"--{name} is for a single training; leave it out. OUT/trials holds each trial's "
                             "config.yaml")
    complete_from_dataset(settings)
    if not settings.validate:
        raise UsageError("tune judges by a validation set; give --validate, --val_images and --val_annotations, or a "
                         "--dataset that has one")
    names = [field.name for field in dataclasses.fields(training.Settings)]
    own = {name: getattr(settings, name) for name in names}
    # A trial's files go into its own folder.
    own |= dict(config=None, model_dir=None, checkpoints_path=None, tensorboard=None,
                auto_resume_checkpoint=False)
    base = training.Settings(**own)
    check(base)
    return base


def _refuse_replacing(settings: Settings) -> None:
    """Refuse an --out whose best.yaml is read, or that holds files of these names and no search."""
    out, read = Path(settings.out), filter(None, (settings.config, settings.space))
    refuse_replacing("--out", out / "best.yaml", read, "choose another --out", (TRIAL,))
    taken = [name for name in WRITTEN if (out / name).exists()]
    if taken and not (out / "study.db").exists():
        raise UsageError(f"--out {out} holds {taken[0]}, and no search; choose another --out")


def _require_packages() -> None:
    missing = [wanted for name, wanted in PACKAGES.items() if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError("tune needs packages that are not installed; run: python -m pip install "
                         + " ".join(f"'{name}'" for name in missing))
