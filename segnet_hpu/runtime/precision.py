"""Arithmetic of a run: fp32, bf16 or fp16 with loss scaling."""

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.devices import Device, find

# Keras scales the loss by itself under mixed_float16.
POLICIES = {"fp32": "float32", "bf16": "mixed_bfloat16", "amp": "mixed_float16"}


def set_precision(data_type: str, device: Device) -> str:
    """Set Keras's dtype policy for all layers made from now on; return the policy's name.

    data_type: "fp32", "bf16" or "amp" (fp16 with loss scaling; GPU only). device: from select_device.
    Weights stay float32 under all three. Raises UsageError where the device lacks the type, and for
    bf16 on HPU beside TF_BF16_CONVERSION; warns on stderr where the CPU has to emulate bf16.
    """
    if data_type not in POLICIES:
        raise UsageError(f"--data_type is {data_type!r}; expected one of {', '.join(POLICIES)}")
    find(device.kind).check_data_type(data_type)
    import keras

    keras.config.set_dtype_policy(POLICIES[data_type])
    return POLICIES[data_type]


def data_type_in_force() -> str:
    """Return which of "fp32", "bf16" and "amp" Keras's dtype policy means now. Raises UsageError for others."""
    import keras

    policy = keras.config.dtype_policy().name
    for data_type, name in POLICIES.items():
        if name == policy:
            return data_type
    raise UsageError(f"Keras's dtype policy is {policy}; expected one of {', '.join(POLICIES.values())}")
