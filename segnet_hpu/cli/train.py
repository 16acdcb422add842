"""`segnet-hpu train`."""

import sys
from pathlib import Path

from segnet_hpu import config
from segnet_hpu.data.augmentation import refuse_unused_augmentation
from segnet_hpu.launch import command
from segnet_hpu.launch.hosts import is_elastic, layout
from segnet_hpu.launch.requirements import check_launchable, check_workers
from segnet_hpu.launch.supervision import supervise
from segnet_hpu.models.registry import input_size
from segnet_hpu.runtime import worker
from segnet_hpu.runtime.devices import pins_workers
from segnet_hpu.runtime.ranks.join import refuse_foreign_launcher
from segnet_hpu.training.check import check
from segnet_hpu.training.dataset_settings import complete_from_dataset
from segnet_hpu.training.run_folder import RunFolder
from segnet_hpu.training.settings import Settings

__all__ = ["Settings", "run"]


def run(settings: Settings) -> None:
    complete_from_dataset(settings)
    if settings.print_config:
        print(config.to_yaml(settings), end="")
        return
    if settings.dry_run:
        check_workers(settings)
        print(command.line(settings, _logs(settings), pixels_of_a_step(settings)))
        return
    check(settings)
    refuse_unused_augmentation(settings)
    if settings.distributed and not command.is_worker(settings):
        _start_workers(settings)
        return
    refuse_foreign_launcher(settings, command.backend_of())
    worker.prepare(settings.distributed, pins_workers(settings.train_engine))
    from segnet_hpu.training.run import train

    train(settings)


def _start_workers(settings: Settings) -> None:
    """Start the workers, which come here again with the same settings, and wait for them."""
    check_launchable(settings)
    folder = RunFolder.of(settings, settings.model_name)
    folder.lock.refuse_held()
    folder.check(settings.auto_resume_checkpoint)
    logs = _logs(settings)
    words, variables = command.command(settings, logs, pixels_of_a_step(settings))
    debug = "--debug" in sys.argv
    if debug:
        words.append("--debug")
    plan = layout(settings)
    with folder.lock:
        if is_elastic(settings):  # else rank 0 locks it, wherever it runs
            folder.claim(settings.auto_resume_checkpoint)
        supervise(words, variables, logs, settings.fault_timeout, is_elastic(settings), debug,
                  workers=0 if plan.is_local else plan.workers)


def pixels_of_a_step(settings: Settings) -> int:
    """Return how many pixels one worker trains on in a step."""
    height, width = input_size(settings.built_model, settings.input_height, settings.input_width)
    return settings.batch_size * height * width


def _logs(settings: Settings) -> Path:
    """RUN/logs/N, a new one for every launch."""
    logs = RunFolder.of(settings, settings.model_name).folder / "logs"
    return logs / str(1 + max((int(p.name) for p in logs.glob("*") if p.name.isdigit()), default=0))
