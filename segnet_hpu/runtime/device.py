"""Choose what to compute on: Gaudi (HPU), GPU or CPU."""

import contextlib
import dataclasses

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime import cpu, hpu
from segnet_hpu.runtime.worker import shown_own_devices

ENGINES = ("auto", "hpu", "gpu", "cpu")


@dataclasses.dataclass(frozen=True)
class Device:
    """What select_device chose.

    kind: "hpu", "gpu" or "cpu". description: for people. jit_compile: for `model.compile`.
    host_casts: images must reach the device as float, because it has no uint8.
    """

    kind: str
    description: str
    jit_compile: bool | str = "auto"
    host_casts: bool = False


def select_device(train_engine="auto", *, threads=None, deterministic=False, gpu=None):
    """Set TensorFlow up for one kind of device and return it; call before any op is placed.

    train_engine: "auto" takes the first there is of hpu, gpu, cpu. threads: the CPU threads that
    TensorFlow may use, None for all. deterministic: the same run twice gives the same bits. gpu: the number
    of the GPU to use, as each of several workers on one machine has its own; the first if None.
    With another Keras backend than TensorFlow, that backend chooses: only the defaults are allowed.
    Raises UsageError for an unknown engine, one that is not here, no TensorFlow, or one already running.
    """
    if train_engine not in ENGINES:
        raise UsageError(f"--train_engine is {train_engine!r}; expected one of {', '.join(ENGINES)}")
    try:
        import keras
    except ModuleNotFoundError as error:
        raise UsageError(f"Keras with its backend cannot be imported: no module {error.name}; expected "
                         "TensorFlow and Keras 3. Run run_scripts/setup_env.sh cpu (or gpu, hpu)") from error
    if keras.config.backend() != "tensorflow":
        return _of_backend(keras.config.backend(), train_engine, threads, deterministic)
    import tensorflow as tf

    kind = _first_kind(tf) if train_engine == "auto" else train_engine
    # Habana's module must come first: it makes TensorFlow look for its devices anew.
    device = _gpu(tf, gpu) if kind == "gpu" else {"hpu": _hpu, "cpu": _cpu}[kind](tf)
    try:
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            if device.kind != "cpu":
                tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        raise UsageError(f"threads is {threads}, but TensorFlow already runs with another number; "
                         "choose the device before making a model or a tensor") from None
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return device


def _first_kind(tf):
    if hpu.installed() and hpu.cards():
        return "hpu"
    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def _hpu(tf):
    devices = hpu.load()
    return Device("hpu", f"{len(devices)} x {(hpu.cards() or ['Gaudi card'])[0]}",
                  jit_compile=False, host_casts=True)


def _gpu(tf, number):
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise UsageError(f"--train_engine gpu: {_why_no_gpu(tf)}, or use --train_engine cpu")
    if len(gpus) == 1 and shown_own_devices():
        number = 0
    if number is not None and number >= len(gpus):
        raise UsageError(f"worker {number} of this machine has no GPU: TensorFlow sees {len(gpus)}; start as "
                         "many workers as there are GPUs")
    gpu = gpus[number or 0]
    try:
        tf.config.set_visible_devices([gpu], "GPU")
        tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:  # TensorFlow already runs: its first GPU and the memory it has taken stay
        if number:
            raise UsageError(f"worker {number} of this machine cannot have a GPU of its own: TensorFlow already "
                             "runs; choose the device before making a model or a tensor") from None
    name = tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
    return Device("gpu", name if len(gpus) == 1 else f"{name}, one of {len(gpus)}")


def _why_no_gpu(tf):
    if not tf.test.is_built_with_gpu_support():
        return (f"TensorFlow {tf.__version__} here is built without CUDA; expected tensorflow[and-cuda]. "
                "Run run_scripts/setup_env.sh gpu")
    return ("TensorFlow sees no GPU; expected one that nvidia-smi lists. Install NVIDIA's driver, "
            "see that CUDA_VISIBLE_DEVICES does not hide the GPU")


def _cpu(tf):
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        raise UsageError("--train_engine cpu: TensorFlow already runs on the GPU; choose the device "
                         "before making a model or a tensor") from None
    # Operations that run side by side share the threads differently from run to run, and sums then differ in
    # their last bits; one after the other, with all threads each, they repeat exactly and take as long.
    with contextlib.suppress(RuntimeError):  # TensorFlow already runs: then it may vary
        tf.config.threading.set_inter_op_parallelism_threads(1)
    # XLA on the CPU is slower than oneDNN's kernels.
    return Device("cpu", f"{cpu.model_name()}, {cpu.usable_cores()} cores", jit_compile=False)


def _of_backend(backend, train_engine, threads, deterministic):
    if train_engine != "auto" or threads is not None or deterministic:
        raise UsageError(f"KERAS_BACKEND is {backend}, which chooses its device itself; expected "
                         "--train_engine auto and neither threads nor determinism set. "
                         "Unset KERAS_BACKEND for TensorFlow")
    kind = "cpu"
    if backend == "jax":
        import jax

        kind = jax.default_backend()
    elif backend == "torch":
        import torch

        kind = "gpu" if torch.cuda.is_available() else "cpu"
    return Device(kind, f"{kind}, chosen by {backend}")
