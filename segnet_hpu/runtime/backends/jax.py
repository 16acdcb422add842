"""JAX's devices."""

import os

# Read when JAX meets the GPU; else it takes most of its memory at once.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax  # noqa: E402

from segnet_hpu.runtime.backends.base import Backend  # noqa: E402


class Jax(Backend):
    name = "jax"

    def gpus(self) -> list[str]:
        return [device.device_kind for device in _gpus()]

    def why_no_gpu(self) -> str:
        return (f"JAX {jax.__version__} sees no GPU; expected jax[cuda12] or jax[cuda13] and a GPU that nvidia-smi "
                "lists. Run run_scripts/setup_env.sh gpu --backend jax")

    def use_gpu(self, card: int) -> None:
        jax.config.update("jax_default_device", _gpus()[card])

    def use_cpu(self) -> None:
        jax.config.update("jax_platforms", "cpu")  # where JAX has not begun, it leaves the GPU alone
        jax.config.update("jax_default_device", jax.devices("cpu")[0])

    def set_threads(self, threads: int) -> None:
        os.environ["NPROC"] = str(threads)  # by which XLA measures its pool, when JAX begins

    def make_deterministic(self) -> None:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true".strip()


def _gpus() -> list[jax.Device]:
    try:
        return jax.devices("gpu")
    except RuntimeError:  # no such platform
        return []


BACKEND = Jax()
