"""What the kinds of device ask of a backend of Keras."""

from abc import ABC, abstractmethod
from typing import ClassVar

# The backends' own names, for people. `auto` takes the first that is installed.
LABELS = {"tensorflow": "TensorFlow", "torch": "PyTorch", "jax": "JAX"}


class Backend(ABC):
    """A backend of Keras, imported in this process.

    name: of --backend NAME. cpu_jit: `jit_compile` of `keras.Model.compile` on the CPU.
    """

    name: ClassVar[str]
    cpu_jit: ClassVar[bool | str] = "auto"

    @property
    def label(self) -> str:
        """Its name for people."""
        return LABELS[self.name]

    @abstractmethod
    def gpus(self) -> list[str]:
        """Return the names of the GPUs that it sees, in the order of their numbers."""

    @abstractmethod
    def why_no_gpu(self) -> str:
        """Return why it sees no GPU, what was expected and what to do, without a full stop."""

    @abstractmethod
    def use_gpu(self, card: int) -> None:
        """Compute on this GPU, whose memory is taken as it is needed.

        Raises RuntimeError where it computes already and keeps to what it has taken.
        """

    @abstractmethod
    def use_cpu(self) -> None:
        """Compute on the CPU. Raises RuntimeError where it computes on a GPU already and keeps to it."""

    @abstractmethod
    def set_threads(self, threads: int) -> None:
        """Use so many CPU threads. Raises RuntimeError where it runs already with another number."""

    @abstractmethod
    def make_deterministic(self) -> None:
        """Refuse operations whose result can vary from run to run."""
