"""What the package asks of a kind of device."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from segnet_hpu.components import Registry
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.backends import Backend

if TYPE_CHECKING:
    from segnet_hpu.runtime.environment import Environment


DEVICES = Registry("device", flag="--train_engine", package=__package__)


@dataclass(frozen=True)
class Device:
    """The device that was selected.

    kind: name of its kind. description: for people. jit_compile: whether XLA compiles the step.
    host_casts: images must reach the device as float, because it has no uint8.
    """

    kind: str
    description: str
    jit_compile: bool | str = "auto"
    host_casts: bool = False


@dataclass(frozen=True)
class LaunchPlan:
    """What decides a worker's variables.

    workers_here: on the first machine. pixels: those of one worker's step. box: --hls_type.
    environ: the variables that are set already, which stand.
    """

    workers_here: int
    threads: int | None
    pixels: int
    launcher: str
    box: str | None
    environ: Mapping[str, str]


class DeviceKind(ABC):
    """One kind of device. The attributes say what it can do; the methods find it, set it up and check requests.

    name: of --train_engine NAME, RUNME_NAME_*.sh, setup_env.sh NAME and install_horovod.sh NAME.
    """

    order: ClassVar[int]  # `auto` takes the lowest that is here
    instead_of_amp: ClassVar[tuple[str, ...]] = ("bf16", "fp32")  # of --data_type; () where amp runs
    grouped_allreduce: ClassVar[bool] = True  # Horovod has a kernel that averages many tensors in one call

    launchers: ClassVar[tuple[str, ...]] = ("horovodrun", "mpirun")  # the first is the default
    cards_name: ClassVar[str] = ""  # such as "GPUs", where each worker needs one of its own
    card_counts: ClassVar[tuple[int, ...]] = ()  # cards that work together on a machine; () is any number
    boxes: ClassVar[Mapping[str, int]] = {}  # the maker's machines, for --hls_type: name -> cards
    variables_passed_on: ClassVar[tuple[str, ...]] = ()  # beginnings of variables that workers elsewhere need
    pins_workers: ClassVar[bool] = False  # a worker of horovodrun keeps to its share of the cores
    shares_cores: ClassVar[bool] = True  # there may be more workers than cores

    packages: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # for doctor: name -> distributions that provide it
    tensorflow_queries: ClassVar[Mapping[str, str]] = {}  # for doctor: key -> expression of `tf`

    def __init__(self, name: str) -> None:
        self.name = name

    def cards(self) -> Sequence[str]:
        """Return one line a card, without importing a backend."""
        return ()

    @abstractmethod
    def is_present(self) -> bool:
        """Return whether this machine has such a device and what it needs, without importing a backend."""

    def is_reached_by(self, backend: Backend) -> bool:
        """Return whether a backend of Keras can compute on this kind here."""
        return self.is_present()

    @abstractmethod
    def select(self, backend: Backend, card: int | None) -> Device:
        """Set a backend up for this kind, before it computes. card: its number; None is the first.

        Raises UsageError where the device, or what it needs, is missing.
        """

    def check_data_type(self, data_type: str) -> None:
        """Raise UsageError where the device lacks this --data_type; warn where it is slow."""
        if data_type == "amp" and self.instead_of_amp:
            words = " or ".join(self.instead_of_amp)
            raise UsageError(f"--data_type amp (fp16) does not run on {self.name}; expected {words} there. "
                             f"Use --data_type {words.replace(' or ', ' or --data_type ')}")

    def prepare_horovod(self) -> None:  # noqa: B027
        """Do what must come before Horovod's import."""

    def check_hosts(self, hosts: Sequence[tuple[str, int]], box: str | None) -> None:  # noqa: B027
        """Raise UsageError unless so many workers on each of these machines can share such devices."""

    def threads_per_worker(self, workers: int) -> int | None:
        """Return the CPU threads for each of so many workers on this machine; None leaves it to the backend."""
        return None

    def worker_variables(self, plan: LaunchPlan) -> dict[str, str]:
        """Return the environment variables that each worker needs."""
        return {}

    def inventory(self) -> dict[str, Any]:
        """Return what doctor notes of this machine, fit for JSON."""
        return {}

    def report(self, inventory: Mapping[str, Any]) -> dict[str, str]:
        """Return the doctor's lines, heading -> text, from every kind's inventories."""
        return {}

    def faults(self, environment: "Environment") -> Iterable[str]:
        """Yield what keeps a preset for this kind from running here."""
        return ()

    def slowness(self, data_type: str, inventory: Mapping[str, Any]) -> str | None:
        """Return why this --data_type is slow here, or None."""
        return None
