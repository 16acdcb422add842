"""Gaudi through TensorFlow: Habana's module for it.

SynapseAI 1.14.0 is the last release for TensorFlow: CPython 3.10, tensorflow-cpu 2.15.0,
habana-tensorflow 1.14.0.493. That package was written for Keras 2; Keras 3.12.4 works beside it.
"""

import os
import sys
from collections.abc import Mapping

from segnet_hpu.errors import UsageError

TENSORFLOW_VERSION = "2.15.0"
PYTHON_VERSION = (3, 10)

# Every name of Habana's wheel that we use: module -> attribute.
HPU_API = {"habana_frameworks.tensorflow": ("load_habana_module",)}

_INSTEAD = "or use --train_engine cpu"


def load(card: int | None) -> int:
    """Load Habana's module into TensorFlow; return how many HPUs TensorFlow then sees.

    Must run before TensorFlow places its first op. card: not needed, Habana's Horovod shares them out.
    Raises UsageError, naming what is missing, where the package, its libraries, the Python or the TensorFlow is not
    right.
    """
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
    return len(devices)


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
