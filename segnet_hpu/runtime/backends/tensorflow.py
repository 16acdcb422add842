"""TensorFlow's devices."""

import contextlib

import tensorflow as tf

from segnet_hpu.runtime.backends.base import Backend
from segnet_hpu.runtime.tensorflow_log import silence_retracing

silence_retracing()


class TensorFlow(Backend):
    name = "tensorflow"
    cpu_jit = False  # XLA on the CPU is slower than oneDNN's kernels

    def gpus(self) -> list[str]:
        return [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
                for gpu in tf.config.list_physical_devices("GPU")]

    def why_no_gpu(self) -> str:
        if not tf.test.is_built_with_gpu_support():
            return (f"TensorFlow {tf.__version__} here is built without CUDA; expected tensorflow[and-cuda]. "
                    "Run run_scripts/setup_env.sh gpu")
        return ("TensorFlow sees no GPU; expected one that nvidia-smi lists. Install NVIDIA's driver, "
                "see that CUDA_VISIBLE_DEVICES does not hide the GPU")

    def use_gpu(self, card: int) -> None:
        gpu = tf.config.list_physical_devices("GPU")[card]
        tf.config.set_visible_devices([gpu], "GPU")
        tf.config.experimental.set_memory_growth(gpu, True)

    def use_cpu(self) -> None:
        tf.config.set_visible_devices([], "GPU")
        # Operations that run side by side share the threads differently from run to run, and sums then differ in
        # their last bits; one after the other, with all threads each, they repeat exactly and take as long.
        with contextlib.suppress(RuntimeError):  # TensorFlow already runs: then it may vary
            tf.config.threading.set_inter_op_parallelism_threads(1)

    def set_threads(self, threads: int) -> None:
        side_by_side = tf.config.threading.get_inter_op_parallelism_threads() or threads
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(min(threads, side_by_side))

    def make_deterministic(self) -> None:
        tf.config.experimental.enable_op_determinism()


BACKEND = TensorFlow()
