"""On what the network is computed, and in which precision."""

from dataclasses import dataclass

from segnet_hpu.config import option
from segnet_hpu.runtime.device import DeviceSettings


@dataclass(kw_only=True)
class Device(DeviceSettings):
    """On what the network is computed, and in which precision."""

    GROUP = "device"

    data_type: str = option("fp32", "precision; amp is fp16 with loss scaling", choices=("fp32", "bf16", "amp"),
                            changes="training")
    threads: int | None = option(None, "CPU threads", minimum=1, changes="nothing")
    deterministic: bool = option(False, "refuse operations whose result can vary", changes="nothing")
