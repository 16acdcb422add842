"""Gaudi 2 and 3 through PyTorch: Habana's bridge, which comes with a PyTorch that Habana built it for.

It is not on the package index: Habana's images and installer bring both. The names used here were read in its
published source, github.com/HabanaAI/gaudi-pytorch-bridge, 1.19. Operators run one by one (`eager`), which is what
Keras gives them; `backends/torch.py` asks for that before PyTorch is imported, which may load the bridge by itself.
"""

import os
from collections.abc import MutableMapping

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.backends.torch import BACKEND

# Every name of Habana's package that we use: module -> attributes.
HPU_API = {"habana_frameworks.torch.hpu": ("is_available", "device_count")}

_INSTEAD = "or use --train_engine cpu"


def load(card: int | None) -> int:
    """Load Habana's bridge into PyTorch and let Keras compute on it; return how many cards PyTorch then sees.

    Raises UsageError where the package, its libraries, its PyTorch or the card is not right.
    """
    if card is not None:
        take_module(card)
    try:
        import habana_frameworks.torch.hpu as hpu
    except Exception as error:  # the real package raises AssertionError for another PyTorch, OSError for libraries
        raise UsageError(_explain(error)) from error
    if not hpu.is_available():
        raise UsageError("--train_engine hpu: Habana's bridge is loaded but PyTorch sees no HPU; expected a Gaudi "
                         f"card. See that hl-smi lists one and that no other process holds it, {_INSTEAD}")
    BACKEND.compute_on("hpu")
    if not _has_generator():
        from segnet_hpu.runtime.keras_internals.torch import draw_on_host

        draw_on_host()
    count: int = hpu.device_count()
    return count


def take_module(card: int, environ: MutableMapping[str, str] = os.environ) -> None:
    """Have this worker take the card of its number, among those of HABANA_VISIBLE_MODULES if that is set."""
    visible = [name for name in environ.get("HABANA_VISIBLE_MODULES", "").split(",") if name]
    if visible and card >= len(visible):
        raise UsageError(f"worker {card} of this machine has no Gaudi card: HABANA_VISIBLE_MODULES is "
                         f"{','.join(visible)}; start as many workers as it names")
    environ.setdefault("HLS_MODULE_ID", visible[card] if visible else str(card))


def _has_generator() -> bool:
    """Whether the bridge can make the generators of random numbers that Keras asks for; that of 1.19 cannot."""
    import torch

    try:
        torch.Generator(device="hpu")
    except RuntimeError:
        return False
    return True


def _explain(error: Exception) -> str:
    """One line for what went wrong in Habana's package."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("habana_frameworks"):
        return ("--train_engine hpu: the package habana-torch-plugin is not installed in this Python; expected "
                "Habana's, with the PyTorch that comes along. Use Habana's image or installer, then run "
                f"run_scripts/setup_env.sh hpu, {_INSTEAD}")
    if "PyTorch" in reason:
        return (f"--train_engine hpu: {reason.rstrip('.')}; expected the PyTorch that Habana's bridge was built for. "
                f"Install Habana's again, {_INSTEAD}")
    return (f"--train_engine hpu: Habana's bridge cannot be loaded: {reason}; expected SynapseAI's driver and "
            f"libraries of the same release. See hl-smi, {_INSTEAD}")
