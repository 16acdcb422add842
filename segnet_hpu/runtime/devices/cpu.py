"""The CPU, which is always there."""

import os
from collections.abc import Mapping
from typing import Any

from segnet_hpu.errors import UsageError, warn
from segnet_hpu.runtime import processor
from segnet_hpu.runtime.backends import Backend
from segnet_hpu.runtime.devices.base import DEVICES, Device, DeviceKind, LaunchPlan

# Open MPI waits by asking again and again, on the core that computes: let it step aside.
YIELD = {"OMPI_MCA_mpi_yield_when_idle": "1"}


def cycle_time(pixels: int) -> int:
    """Return the milliseconds between two rounds of Horovod's own talk, for a CPU's step over so many pixels.

    Each round takes the core from the computation, 5 % of it at Horovod's 1 ms; averaging begins up to one
    round late. So about a hundredth of a step, which takes a core some seconds for 2 x 320 x 640 pixels.
    """
    return min(50, max(1, pixels // 8192))


@DEVICES.register("cpu")
class Cpu(DeviceKind):
    order = 9
    pins_workers = True
    variables_passed_on = ("OMP_",)

    def is_present(self) -> bool:
        return True

    def select(self, backend: Backend, card: int | None) -> Device:
        try:
            backend.use_cpu()
        except RuntimeError:
            raise UsageError(f"--train_engine cpu: {backend.label} already runs on the GPU; choose the device "
                             "before making a model or a tensor") from None
        return Device(self.name, f"{processor.model_name()}, {processor.usable_cores()} cores",
                      jit_compile=backend.cpu_jit)

    def check_data_type(self, data_type: str) -> None:
        super().check_data_type(data_type)
        if data_type == "bf16" and not processor.bf16_instructions():
            warn("this CPU has no bf16 instructions: --data_type bf16 will be slow; prefer fp32")

    def threads_per_worker(self, workers: int) -> int:
        return max(1, processor.usable_cores() // workers)

    def worker_variables(self, plan: LaunchPlan) -> dict[str, str]:
        variables = {"OMP_NUM_THREADS": str(plan.threads), "HOROVOD_CYCLE_TIME": str(cycle_time(plan.pixels))}
        variables = {name: value for name, value in variables.items() if name not in plan.environ}
        return variables | YIELD if plan.launcher == "mpirun" else variables

    def inventory(self) -> dict[str, Any]:
        return {"cpu": processor.model_name(), "cores": processor.usable_cores(), "memory_gib": _memory_gib(),
                "cpu_bf16": list(processor.bf16_instructions())}

    def report(self, inventory: Mapping[str, Any]) -> dict[str, str]:
        memory = "unknown" if inventory["memory_gib"] is None else f"{inventory['memory_gib']} GiB"
        return {"CPU": f"{inventory['cpu']}, {inventory['cores']} cores, memory {memory}",
                "bf16 on the CPU": ", ".join(inventory["cpu_bf16"]) or "no such instructions"}

    def slowness(self, data_type: str, inventory: Mapping[str, Any]) -> str | None:
        return "the CPU has no bf16 instructions" if data_type == "bf16" and not inventory["cpu_bf16"] else None


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None
