"""NVIDIA's GPUs."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segnet_hpu.errors import UsageError
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

    def computes_for(self, backend: str) -> bool:
        if backend == "tensorflow":
            import tensorflow as tf

            return bool(tf.config.list_physical_devices("GPU"))
        if backend == "jax":
            import jax

            return jax.default_backend() == "gpu"
        import torch

        return torch.cuda.is_available()

    def select(self, card: int | None) -> Device:
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            raise UsageError(f"--train_engine gpu: {_why_no_gpu()}, or use --train_engine cpu")
        if len(gpus) == 1 and shown_own_devices():
            card = 0
        if card is not None and card >= len(gpus):
            raise UsageError(f"worker {card} of this machine has no GPU: TensorFlow sees {len(gpus)}; start as "
                             "many workers as there are GPUs")
        gpu = gpus[card or 0]
        try:
            tf.config.set_visible_devices([gpu], "GPU")
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # TensorFlow already runs: its first GPU and the memory it has taken stay
            if card:
                raise UsageError(f"worker {card} of this machine cannot have a GPU of its own: TensorFlow already "
                                 "runs; choose the device before making a model or a tensor") from None
        name = tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        return Device(self.name, name if len(gpus) == 1 else f"{name}, one of {len(gpus)}")

    def inventory(self) -> dict[str, Any]:
        return {"gpus": cards()}

    def report(self, inventory: Mapping[str, Any]) -> dict[str, str]:
        return {"GPUs": ", ".join(inventory["gpus"]) or "none"}

    def faults(self, environment: "Environment") -> Iterator[str]:
        if not environment.devices["gpus"]:
            yield "no NVIDIA GPU: nvidia-smi is missing or lists none"
        if not environment.tensorflow.get("cuda_build"):
            yield "this TensorFlow is built without CUDA: run_scripts/setup_env.sh gpu installs the one with it"
        if not environment.tensorflow.get("gpus"):
            yield "TensorFlow sees no GPU though nvidia-smi does: its CUDA libraries are missing or too old"


def _why_no_gpu() -> str:
    import tensorflow as tf

    if not tf.test.is_built_with_gpu_support():
        return (f"TensorFlow {tf.__version__} here is built without CUDA; expected tensorflow[and-cuda]. "
                "Run run_scripts/setup_env.sh gpu")
    return ("TensorFlow sees no GPU; expected one that nvidia-smi lists. Install NVIDIA's driver, "
            "see that CUDA_VISIBLE_DEVICES does not hide the GPU")
