"""How many processes train together, and what starts and watches them."""

from dataclasses import dataclass

from segnet_hpu.config import option
from segnet_hpu.runtime.devices import box_names


@dataclass(kw_only=True)
class Workers:
    """How many processes train together, and what starts and watches them."""

    GROUP = "workers"

    distributed: bool = option(False, "train on several workers, of Horovod on TensorFlow, of torch.distributed on "
                               "torch; starts them itself unless horovodrun, torchrun, mpirun or a scheduler did",
                               changes="nothing")
    num_workers: int | None = option(None, "workers in all; also from the variable NUM_WORKERS", minimum=1,
                                     variable="NUM_WORKERS", changes="nothing")
    num_workers_per_hls: int | None = option(None, "workers on each machine, Habana's name for it", minimum=1,
                                             changes="nothing")
    hls_type: str | None = option(None, "Habana's name of the box, checked against the workers on each machine: "
                                  "HLS1-H has 4 cards, the others 8", choices=box_names(), changes="nothing")
    kubernetes_run: bool = option(False, "an operator has started the workers: join them, never start any",
                                  changes="nothing")
    hosts: str | None = option(None, "machines, reached by ssh, and the workers on each: a:8,b:8; this machine "
                               "if not set", changes="nothing")
    launcher: str = option("auto", "what starts the workers; auto: as the device wants it, or else horovodrun, or "
                           "torchrun on torch", choices=("auto", "horovodrun", "torchrun", "mpirun"),
                           changes="nothing")
    dry_run: bool = option(False, "print the exact command that would run, and stop", changes="nothing")
    fault_timeout: float = option(300.0, "seconds that a lost or hung worker may hold the others up", minimum=5.0,
                                  changes="nothing")
    compress_gradients: bool = option(False, "send gradients as fp16, half the bytes, where the network is slow; "
                                      "those below 6e-8 are lost", changes="training")
    timeline: str | None = option(None, "write Horovod's timeline (for chrome://tracing) to this file",
                                  changes="nothing")
    min_workers: int | None = option(None, "elastic training: go on while there are so many", minimum=1,
                                     changes="nothing")
    max_workers: int | None = option(None, "elastic training: never more", minimum=1, changes="nothing")
    commit_steps: int = option(10, "elastic training: steps between the states in memory that it falls back to",
                               minimum=1, changes="nothing")
    host_discovery_script: str | None = option(None, "elastic training: a program that prints host:workers, one a "
                                               "line, of the machines there are now", changes="nothing")
