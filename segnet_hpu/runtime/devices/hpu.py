"""Gaudi cards (HPU): Habana's TensorFlow module and the cards that hl-smi lists.

SynapseAI 1.14.0 is the last release for TensorFlow: CPython 3.10, tensorflow-cpu 2.15.0,
habana-tensorflow 1.14.0.493. That package was written for Keras 2; Keras 3.12.4 works beside it.
"""

import glob
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.devices.base import DEVICES, Device, DeviceKind, LaunchPlan

if TYPE_CHECKING:
    from segnet_hpu.runtime.environment import Environment

TENSORFLOW_VERSION = "2.15.0"
PYTHON_VERSION = (3, 10)

# Every name of Habana's wheel that we use: module -> attribute.
HPU_API = {"habana_frameworks.tensorflow": ("load_habana_module",)}

# Habana's names of its boxes -> cards in one.
BOXES = {"HLS1": 8, "HLS1-H": 4, "HLS2": 8, "OCP1": 8}
CARD_COUNTS = (1, 2, 4, 8)

_INSTEAD = "or use --train_engine cpu"


@DEVICES.register("hpu")
class Hpu(DeviceKind):
    order = 1
    instead_of_amp = ("bf16",)
    grouped_allreduce = False  # habana-horovod 1.14 has a kernel for the plain one only
    launchers = ("mpirun",)
    cards_name = "Gaudi cards"
    card_counts = CARD_COUNTS
    boxes = BOXES
    variables_passed_on = ("HABANA_", "GC_KERNEL_PATH", "LOG_LEVEL_ALL", "ENABLE_CONSOLE")
    shares_cores = False
    packages = {"habana-tensorflow": ("habana-tensorflow",)}

    def cards(self) -> Sequence[str]:
        return cards()

    def is_present(self) -> bool:
        return installed() and bool(cards())

    def computes_for(self, backend: str) -> bool:
        return backend == "tensorflow" and self.is_present()

    def select(self, card: int | None) -> Device:
        devices = load()
        return Device(self.name, f"{len(devices)} x {(cards() or ['Gaudi card'])[0]}",
                      jit_compile=False, host_casts=True)

    def check_data_type(self, data_type: str) -> None:
        super().check_data_type(data_type)
        if data_type == "bf16":
            refuse_two_bf16()

    def prepare_horovod(self) -> None:
        """habana-horovod loads Habana's module when it is imported."""
        if installed():
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
        return {"hpu_cards": cards(), "habana_module": installed()}

    def report(self, inventory: Mapping[str, Any]) -> dict[str, str]:
        return {"Gaudi cards": "; ".join(inventory["hpu_cards"]) or "none"}

    def faults(self, environment: "Environment") -> Iterator[str]:
        tensorflow = environment.versions["tensorflow"]
        if not environment.devices["hpu_cards"]:
            yield "no Gaudi card: hl-smi is missing or lists none"
        if not environment.python.startswith("3.10."):
            yield f"Python is {environment.python}; Habana's package needs 3.10"
        if not environment.devices["habana_module"]:
            yield "habana-tensorflow is not installed: run_scripts/setup_env.sh hpu installs it"
        if not (tensorflow or "").startswith(TENSORFLOW_VERSION):
            yield f"TensorFlow is {tensorflow}; Habana's package needs {TENSORFLOW_VERSION}"
        if environment.tensorflow.get("cuda_build"):
            yield f"TensorFlow is built with CUDA; Habana's package needs tensorflow-cpu {TENSORFLOW_VERSION}"


def load() -> Sequence[Any]:
    """Load Habana's module into TensorFlow; return the HPU devices TensorFlow then sees.

    Must run before TensorFlow places its first op. Raises UsageError, naming what is missing,
    where the package, its libraries, the Python, the TensorFlow or the card is not right.
    """
    if not cards() and not _device_files():  # once loaded without a card, the library ends the process later
        raise UsageError("--train_engine hpu: there is no Gaudi card here (none in hl-smi, none in /dev); "
                         f"expected one, with SynapseAI 1.14.0's driver. See hl-smi, {_INSTEAD}")
    import tensorflow as tf

    from segnet_hpu.runtime.keras_internals import give_keras3_a_conv

    if tf.test.is_built_with_cuda():  # loading Habana's library beside it would end the process
        raise UsageError("--train_engine hpu: this TensorFlow is built with CUDA; expected tensorflow-cpu "
                         f"{TENSORFLOW_VERSION}. Run run_scripts/setup_env.sh hpu, {_INSTEAD}")
    give_keras3_a_conv()
    try:
        from habana_frameworks.tensorflow import load_habana_module

        load_habana_module()
    except Exception as error:  # the real package raises plain Exception where libraries are missing
        raise UsageError(_explain(error)) from error
    devices = tf.config.list_physical_devices("HPU")
    if not devices:
        raise UsageError("--train_engine hpu: Habana's module is loaded but TensorFlow sees no HPU; expected "
                         "a Gaudi card. See that hl-smi lists one and that no other process holds it, "
                         f"{_INSTEAD}")
    return devices


def installed() -> bool:
    """Return whether a package habana_frameworks.tensorflow can be found (it is not imported)."""
    try:
        return importlib.util.find_spec("habana_frameworks.tensorflow") is not None
    except ImportError:
        return False


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


def refuse_two_bf16(environ: Mapping[str, str] = os.environ) -> None:
    """Raise UsageError where Habana's own bf16 conversion is on beside Keras's: their sum is undefined."""
    value = environ.get("TF_BF16_CONVERSION", "0")
    if value not in ("", "0"):
        raise UsageError(f"--data_type bf16 together with TF_BF16_CONVERSION={value} is undefined on HPU; "
                         "expected one of the two. Unset TF_BF16_CONVERSION, or use --data_type fp32 with it")


def _explain(error: Exception) -> str:
    """One line for what went wrong in Habana's package."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("habana_frameworks"):
        if sys.version_info[:2] != PYTHON_VERSION:
            return (f"--train_engine hpu: this is Python {sys.version_info[0]}.{sys.version_info[1]}; "
                    "Habana's package exists for CPython 3.10 only. "
                    f"Run PYTHON=python3.10 run_scripts/setup_env.sh hpu, {_INSTEAD}")
        return ("--train_engine hpu: the package habana-tensorflow is not installed; expected 1.14.0.493. "
                f"Run run_scripts/setup_env.sh hpu, {_INSTEAD}")
    if "unsupported TF version" in reason:
        return (f"--train_engine hpu: {reason}; expected TensorFlow {TENSORFLOW_VERSION}. "
                f"Run run_scripts/setup_env.sh hpu, {_INSTEAD}")
    if "local path" in reason:
        return (f"--train_engine hpu: {reason}; expected one copy of habana_frameworks. "
                f"Take the other from PYTHONPATH, {_INSTEAD}")
    return (f"--train_engine hpu: Habana's module cannot be loaded: {reason}; expected SynapseAI 1.14.0's "
            f"driver and libraries. Install them and put their folder on LD_LIBRARY_PATH, {_INSTEAD}")
