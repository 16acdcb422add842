"""Gaudi cards (HPU): those that hl-smi lists, computed on through one of Habana's modules in `runtime/gaudi`."""

import glob
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime import gaudi
from segnet_hpu.runtime.backends import Backend
from segnet_hpu.runtime.devices.base import DEVICES, Device, DeviceKind, LaunchPlan
from segnet_hpu.runtime.gaudi.tensorflow import TENSORFLOW_VERSION, refuse_two_bf16

if TYPE_CHECKING:
    from segnet_hpu.runtime.environment import Environment

# Habana's names of its boxes -> cards in one.
BOXES = {"HLS1": 8, "HLS1-H": 4, "HLS2": 8, "OCP1": 8}
CARD_COUNTS = (1, 2, 4, 8)


@DEVICES.register("hpu")
class Hpu(DeviceKind):
    order = 1
    instead_of_amp = ("bf16",)
    grouped_allreduce = False  # habana-horovod 1.14 has a kernel for the plain one only
    launchers = ("mpirun",)
    cards_name = "Gaudi cards"
    card_counts = CARD_COUNTS
    boxes = BOXES
    variables_passed_on = ("HABANA_", "PT_", "HCL_", "HCCL_", "GC_KERNEL_PATH", "LOG_LEVEL_ALL", "ENABLE_CONSOLE")
    shares_cores = False
    packages = {"habana-tensorflow": ("habana-tensorflow",), "habana-torch-plugin": ("habana-torch-plugin",)}

    def cards(self) -> Sequence[str]:
        return cards()

    def is_present(self) -> bool:
        return gaudi.bridge_here() is not None and bool(cards())

    def is_reached_by(self, backend: Backend) -> bool:
        return gaudi.installed(backend.name) and bool(cards())

    def select(self, backend: Backend, card: int | None) -> Device:
        if not cards() and not _device_files():  # once loaded without a card, the library ends the process later
            raise UsageError("--train_engine hpu: there is no Gaudi card here (none in hl-smi, none in /dev); "
                             "expected one, with SynapseAI's driver. See hl-smi, or use --train_engine cpu")
        count = gaudi.load(backend, card)
        return Device(self.name, f"{count} x {(cards() or ['Gaudi card'])[0]}", jit_compile=False, host_casts=True)

    def check_data_type(self, data_type: str) -> None:
        super().check_data_type(data_type)
        if data_type == "bf16":
            refuse_two_bf16()

    def prepare_horovod(self) -> None:
        """habana-horovod loads Habana's module when it is imported."""
        if gaudi.installed("tensorflow"):
            from segnet_hpu.runtime.keras_internals import give_keras3_a_conv

            give_keras3_a_conv()

    def check_hosts(self, hosts: Sequence[tuple[str, int]], box: str | None) -> None:
        allowed = [n for n in CARD_COUNTS if n <= BOXES.get(box or "", max(CARD_COUNTS))]
        for name, n in hosts:
            if n not in allowed:
                where = f"--hls_type {box}" if box else "a Gaudi box"
                numbers = f"{', '.join(map(str, allowed[:-1]))} or {allowed[-1]}"
                raise UsageError(f"{n} workers on {name}: {where} runs {numbers} of them, one a card. Change "
                                 "--num_workers, --num_workers_per_hls or --hosts")
        if len({n for _, n in hosts}) > 1:
            shares = ", ".join(f"{n} on {name}" for name, n in hosts)
            raise UsageError(f"{shares}: Gaudi boxes share the work evenly; expected as many workers on each. Change "
                             "--num_workers or --hosts")

    def worker_variables(self, plan: LaunchPlan) -> dict[str, str]:
        whole_box = plan.workers_here >= BOXES.get(plan.box or "", max(CARD_COUNTS))
        if whole_box or "HABANA_VISIBLE_MODULES" in plan.environ:
            return {}
        return {"HABANA_VISIBLE_MODULES": ",".join(map(str, range(plan.workers_here)))}

    def inventory(self) -> dict[str, Any]:
        return {"hpu_cards": cards(), "habana_module": gaudi.installed("tensorflow"),
                "habana_torch_module": gaudi.installed("torch")}

    def report(self, inventory: Mapping[str, Any]) -> dict[str, str]:
        return {"Gaudi cards": "; ".join(inventory["hpu_cards"]) or "none"}

    def faults(self, environment: "Environment") -> Iterator[str]:
        tensorflow = environment.versions["tensorflow"]
        if not environment.devices["hpu_cards"]:
            yield "no Gaudi card: hl-smi is missing or lists none"
        if environment.backend != "tensorflow":
            if environment.backend != "torch":
                yield f"{environment.backend} cannot compute on Gaudi: unset KERAS_BACKEND, or set it to torch"
            if not environment.devices["habana_torch_module"]:
                yield "habana-torch-plugin is not installed: Habana's images and installer bring it with its PyTorch"
            return
        if not environment.python.startswith("3.10."):
            yield f"Python is {environment.python}; Habana's package needs 3.10"
        if not environment.devices["habana_module"]:
            yield "habana-tensorflow is not installed: run_scripts/setup_env.sh hpu installs it"
        if not (tensorflow or "").startswith(TENSORFLOW_VERSION):
            yield f"TensorFlow is {tensorflow}; Habana's package needs {TENSORFLOW_VERSION}"
        if environment.tensorflow.get("cuda_build"):
            yield f"TensorFlow is built with CUDA; Habana's package needs tensorflow-cpu {TENSORFLOW_VERSION}"


def cards() -> list[str]:
    """Return one line a Gaudi card ("HL-225, driver 1.14.0"), as hl-smi lists them; [] without hl-smi."""
    query = ["hl-smi", "-Q", "name,driver_version", "-f", "csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = found.stdout.splitlines() if found.returncode == 0 else []
    return [line.strip().replace(", ", ", driver ", 1) for line in lines if line.strip()]


def _device_files() -> list[str]:
    return glob.glob("/dev/hl[0-9]*") + glob.glob("/dev/accel/accel*")
