"""Arithmetic of a run: fp32, bf16 or fp16 with loss scaling."""

from segnet_hpu.errors import UsageError, warn
from segnet_hpu.runtime import cpu, hpu

# Keras scales the loss by itself under mixed_float16.
POLICIES = {"fp32": "float32", "bf16": "mixed_bfloat16", "amp": "mixed_float16"}


def set_precision(data_type, device):
    """Set Keras's dtype policy for all layers made from now on; return the policy's name.

    data_type: "fp32", "bf16" or "amp" (fp16 with loss scaling; GPU only). device: from select_device.
    Weights stay float32 under all three. Raises UsageError where the device lacks the type, and for
    bf16 on HPU beside TF_BF16_CONVERSION; warns on stderr where the CPU has to emulate bf16.
    """
    if data_type not in POLICIES:
        raise UsageError(f"--data_type is {data_type!r}; expected one of {', '.join(POLICIES)}")
    if data_type == "amp" and device.kind != "gpu":
        instead = "bf16" if device.kind == "hpu" else "bf16 or fp32"
        raise UsageError(f"--data_type amp (fp16) does not run on {device.kind}; expected {instead} there. "
                         f"Use --data_type {instead.replace(' or ', ' or --data_type ')}")
    if data_type == "bf16" and device.kind == "hpu":
        hpu.refuse_two_bf16()
    if data_type == "bf16" and device.kind == "cpu" and not cpu.bf16_instructions():
        warn("this CPU has no bf16 instructions: --data_type bf16 will be slow; prefer fp32")
    import keras

    keras.config.set_dtype_policy(POLICIES[data_type])
    return POLICIES[data_type]


def data_type_in_force():
    """Return which of "fp32", "bf16" and "amp" Keras's dtype policy means now. Raises UsageError for others."""
    import keras

    policy = keras.config.dtype_policy().name
    for data_type, name in POLICIES.items():
        if name == policy:
            return data_type
    raise UsageError(f"Keras's dtype policy is {policy}; expected one of {', '.join(POLICIES.values())}")
