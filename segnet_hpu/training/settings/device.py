"""On what the network is computed, and in which precision."""

from dataclasses import dataclass

from segnet_hpu.config import option
from segnet_hpu.runtime.devices import engines


@dataclass(kw_only=True)
class Device:
    """On what the network is computed, and in which precision."""

    GROUP = "device"

    train_engine: str = option("auto", "device", choices=engines(), changes="nothing")
    data_type: str = option("fp32", "precision; amp is fp16 with loss scaling", choices=("fp32", "bf16", "amp"),
                            changes="training")
    threads: int | None = option(None, "CPU threads of TensorFlow", minimum=1, changes="nothing")
    deterministic: bool = option(False, "refuse operations whose result can vary", changes="nothing")
