"""Command `doctor`: what is here, and which presets can run."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from segnet_hpu import config
from segnet_hpu.runtime.backends import LABELS
from segnet_hpu.runtime.devices import kinds
from segnet_hpu.runtime.environment import Environment, inspect

RUN_SCRIPTS = Path(__file__).resolve().parents[2] / "run_scripts"


@dataclasses.dataclass
class Settings:
    """Show devices, versions and which presets can run in this Python environment."""

    json: bool = config.option(False, "print what is found as JSON", group="output")


def run(settings: Settings) -> None:
    environment = inspect()
    presets = {path.stem: preset_status(path.stem, environment) for path in sorted(RUN_SCRIPTS.glob("RUNME_*.sh"))}
    if settings.json:
        found = dataclasses.asdict(environment)
        print(json.dumps({**found, **found.pop("devices"), "presets": presets}, indent=2))
    else:
        print(_report(environment, presets))


def preset_status(preset: str, environment: Environment) -> str:
    """Return "can run", or why a preset named RUNME_<DEVICE>_<TYPE>[_DIST] cannot run here.

    One that names no device takes the best there is.
    """
    device, *rest = preset.removeprefix("RUNME_").lower().split("_")
    kind = next((kind for kind in kinds() if kind.name == device), None)
    reasons = [*(kind.faults(environment) if kind else ()), *_backend_faults(environment)]
    if "dist" in rest:
        reasons += _worker_faults(environment)
    if reasons:
        return reasons[0]
    slow = kind and rest and kind.slowness(rest[0], environment.devices)
    return f"can run, but slowly: {slow}" if slow else "can run"


def _backend_faults(environment: Environment) -> Iterator[str]:
    """What keeps the backend in force from computing; without any, TensorFlow, which presets install."""
    name, said = LABELS.get(environment.backend, environment.backend), getattr(environment, environment.backend, {})
    if environment.backend == "tensorflow" and not (environment.versions["tensorflow"]
                                                    or "tensorflow" in environment.backends):
        yield "no TensorFlow in this Python; the preset installs it into .venv (run_scripts/setup_env.sh)"
    elif environment.backend not in environment.backends:
        yield (f"{name}, which KERAS_BACKEND names, is not installed: run_scripts/setup_env.sh cpu --backend "
               f"{environment.backend} installs it")
    elif "error" in said:
        yield f"{name} cannot be imported: {said['error']}"


def _worker_faults(environment: Environment) -> Iterator[str]:
    """What keeps several workers from meeting; PyTorch brings what they need."""
    if environment.backend == "jax":
        yield "several workers need TensorFlow or PyTorch; JAX trains in one process, on one device"
    elif environment.backend == "torch":
        return
    elif not environment.versions["horovod"]:
        yield "Horovod is not installed: run_scripts/install_horovod.sh installs it"
    elif "error" in environment.horovod:
        yield f"Horovod cannot be imported: {environment.horovod['error']}"


def _report(environment: Environment, presets: dict[str, str]) -> str:
    versions = {name: version or "not installed" for name, version in environment.versions.items()}
    if environment.versions["horovod"]:
        built = [name for name, there in environment.horovod.items() if there is True]
        versions["horovod"] += f" ({environment.horovod.get('error') or 'built with ' + ', '.join(built)})"
    if environment.versions["torch"]:
        cuda = environment.torch.get("cuda_build")
        versions["torch"] += f" ({environment.torch.get('error') or (f'CUDA {cuda}' if cuda else 'without CUDA')})"
    machine = {"Python": environment.python, "system": environment.os}
    for kind in reversed(kinds()):
        machine |= kind.report(environment.devices)
    machine["Keras backends"] = f"{', '.join(environment.backends) or 'none'} (chosen: {environment.backend})"
    sections = {"Machine": machine, "Packages": versions,
                "Presets": presets or {"none": f"there is no folder {RUN_SCRIPTS}"}}
    return "\n".join(line for title, rows in sections.items() for line in [title, *_rows(rows)])


def _rows(pairs: dict[str, str]) -> list[str]:
    width = max(map(len, pairs))
    return [f"  {name:<{width}}  {text}" for name, text in pairs.items()]
