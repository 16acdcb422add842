"""NVIDIA's GPUs."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.backends import LABELS, Backend
from segnet_hpu.runtime.devices.base import DEVICES, Device, DeviceKind
from segnet_hpu.runtime.worker import shown_own_devices

if TYPE_CHECKING:
    from segnet_hpu.runtime.environment import Environment


def cards() -> list[str]:
    """Return one line a GPU, as nvidia-smi lists them; [] without it."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    # "GPU 0: NVIDIA H200 (UUID: GPU-...)"
    return [line.split(" (UUID")[0] for line in done.stdout.splitlines() if line.startswith("GPU ")]


@DEVICES.register("gpu")
class Gpu(DeviceKind):
    order = 2
    instead_of_amp = ()
    cards_name = "GPUs"
    variables_passed_on = ("NCCL_",)
    tensorflow_queries = {"gpus": 'len(tf.config.list_physical_devices("GPU"))',
                          "cuda_build": "tf.test.is_built_with_gpu_support()"}

    def cards(self) -> Sequence[str]:
        return cards()

    def is_present(self) -> bool:
        return bool(cards())

    def is_reached_by(self, backend: Backend) -> bool:
        return bool(backend.gpus())

    def select(self, backend: Backend, card: int | None) -> Device:
        gpus = backend.gpus()
        if not gpus:
            raise UsageError(f"--train_engine gpu: {backend.why_no_gpu()}, or use --train_engine cpu")
        if len(gpus) == 1 and shown_own_devices():
            card = 0
        if card is not None and card >= len(gpus):
            raise UsageError(f"worker {card} of this machine has no GPU: {backend.label} sees {len(gpus)}; start as "
                             "many workers as there are GPUs")
        try:
            backend.use_gpu(card or 0)
        except RuntimeError:  # it already runs: its first GPU and the memory it has taken stay
            if card:
                raise UsageError(f"worker {card} of this machine cannot have a GPU of its own: {backend.label} "
                                 "already runs; choose the device before making a model or a tensor") from None
        name = gpus[card or 0]
        return Device(self.name, name if len(gpus) == 1 else f"{name}, one of {len(gpus)}")

    def inventory(self) -> dict[str, Any]:
        return {"gpus": cards()}

    def report(self, inventory: Mapping[str, Any]) -> dict[str, str]:
        return {"GPUs": ", ".join(inventory["gpus"]) or "none"}

    def faults(self, environment: "Environment") -> Iterator[str]:
        if not environment.devices["gpus"]:
            yield "no NVIDIA GPU: nvidia-smi is missing or lists none"
        name = LABELS.get(environment.backend, environment.backend)
        said = getattr(environment, environment.backend, {})
        if environment.backend != "jax" and not said.get("cuda_build"):
            install = "gpu" if environment.backend == "tensorflow" else f"gpu --backend {environment.backend}"
            yield f"this {name} is built without CUDA: run_scripts/setup_env.sh {install} installs the one with it"
        if not said.get("gpus"):
            yield f"{name} sees no GPU though nvidia-smi does: its CUDA libraries are missing or too old"
