"""Command `doctor`: what is here, and which presets can run."""

import dataclasses
import json
from pathlib import Path

from segnet_hpu import config

RUN_SCRIPTS = Path(__file__).resolve().parents[2] / "run_scripts"


@dataclasses.dataclass
class Settings:
    """Show devices, versions and which presets can run in this Python environment."""

    json: bool = config.option(False, "print the facts as JSON", group="output")


def run(settings):
    from segnet_hpu.runtime import environment

    facts = environment.facts()
    presets = {path.stem: verdict(path.stem, facts) for path in sorted(RUN_SCRIPTS.glob("RUNME_*.sh"))}
    if settings.json:
        print(json.dumps({**facts, "presets": presets}, indent=2))
    else:
        print(_report(facts, presets))


def verdict(preset, facts):
    """Return "can run", or why a preset named RUNME_<DEVICE>_<TYPE>[_DIST] cannot run here.

    One that names no device takes the best there is.
    """
    device, *rest = preset.removeprefix("RUNME_").split("_")
    reasons = [*_DEVICE_FAULTS.get(device, _no_faults)(facts), *_tensorflow_faults(facts)]
    if "DIST" in rest:
        reasons += _horovod_faults(facts)
    if reasons:
        return reasons[0]
    slow = device == "CPU" and "BF16" in rest and not facts["cpu_bf16"]
    return "can run, but slowly: the CPU has no bf16 instructions" if slow else "can run"


def _tensorflow_faults(facts):
    if not facts["versions"]["tensorflow"] and "tensorflow" not in facts["backends"]:
        yield "no TensorFlow in this Python; the preset installs it into .venv (run_scripts/setup_env.sh)"
    elif "error" in facts["tensorflow"]:
        yield f"TensorFlow cannot be imported: {facts['tensorflow']['error']}"


def _gpu_faults(facts):
    if not facts["gpus"]:
        yield "no NVIDIA GPU: nvidia-smi is missing or lists none"
    if not facts["tensorflow"].get("cuda_build"):
        yield "this TensorFlow is built without CUDA: run_scripts/setup_env.sh gpu installs the one with it"
    if not facts["tensorflow"].get("gpus"):
        yield "TensorFlow sees no GPU though nvidia-smi does: its CUDA libraries are missing or too old"


def _hpu_faults(facts):
    if not facts["hpu_cards"]:
        yield "no Gaudi card: hl-smi is missing or lists none"
    if not facts["python"].startswith("3.10."):
        yield f"Python is {facts['python']}; Habana's package needs 3.10"
    if not facts["habana_module"]:
        yield "habana-tensorflow is not installed: run_scripts/setup_env.sh hpu installs it"
    if not (facts["versions"]["tensorflow"] or "").startswith("2.15.0"):
        yield f"TensorFlow is {facts['versions']['tensorflow']}; Habana's package needs 2.15.0"
    if facts["tensorflow"].get("cuda_build"):
        yield "TensorFlow is built with CUDA; Habana's package needs tensorflow-cpu 2.15.0"


def _horovod_faults(facts):
    if not facts["versions"]["horovod"]:
        return ["Horovod is not installed: run_scripts/install_horovod.sh installs it"]
    if "error" in facts["horovod"]:
        return [f"Horovod cannot be imported: {facts['horovod']['error']}"]
    return []


def _no_faults(facts):
    return ()


_DEVICE_FAULTS = {"CPU": _no_faults, "GPU": _gpu_faults, "HPU": _hpu_faults}


def _report(facts, presets):
    versions = {name: version or "not installed" for name, version in facts["versions"].items()}
    if facts["versions"]["horovod"]:
        built = [name for name, there in facts["horovod"].items() if there is True]
        versions["horovod"] += f" ({facts['horovod'].get('error') or 'built with ' + ', '.join(built)})"
    memory = "unknown" if facts["memory_gib"] is None else f"{facts['memory_gib']} GiB"
    machine = {
        "Python": facts["python"],
        "system": facts["os"],
        "CPU": f"{facts['cpu']}, {facts['cores']} cores, memory {memory}",
        "bf16 on the CPU": ", ".join(facts["cpu_bf16"]) or "no such instructions",
        "GPUs": ", ".join(facts["gpus"]) or "none",
        "Gaudi cards": "; ".join(facts["hpu_cards"]) or "none",
        "Keras backends": f"{', '.join(facts['backends']) or 'none'} (chosen: {facts['backend']})",
    }
    sections = {"Machine": machine, "Packages": versions,
                "Presets": presets or {"none": f"there is no folder {RUN_SCRIPTS}"}}
    return "\n".join(line for title, rows in sections.items() for line in [title, *_rows(rows)])


def _rows(pairs):
    width = max(map(len, pairs))
    return [f"  {name:<{width}}  {text}" for name, text in pairs.items()]
