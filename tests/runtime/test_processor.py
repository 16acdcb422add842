"""What the CPU can do, read from Linux's files; the policies themselves are in test_device.py."""

import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime import processor
from segnet_hpu.runtime.devices import hpu

X86 = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse2 avx512f {}\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {} i8mm\n"


@pytest.mark.parametrize("text, expected", [
    (X86.format("avx512_bf16"), ("avx512_bf16",)),
    (X86.format("avx512_bf16 amx_bf16 amx_tile"), ("avx512_bf16", "amx_bf16")),
    (X86.format("avx512_fp16"), ()),
    (ARM.format("bf16"), ("bf16",)),
    (ARM.format("asimdhp"), ()),
])
def test_bf16_instructions(tmp_path, text, expected):
    (tmp_path / "cpuinfo").write_text(text)
    assert processor.bf16_instructions(tmp_path / "cpuinfo") == expected


def test_without_proc(tmp_path):
    assert processor.bf16_instructions(tmp_path / "none") == ()
    assert processor.model_name(tmp_path / "none") == "CPU"


def test_habanas_bf16_beside_kerass_is_refused():
    with pytest.raises(UsageError, match="TF_BF16_CONVERSION=full.*Unset"):
        hpu.refuse_two_bf16({"TF_BF16_CONVERSION": "full"})
    hpu.refuse_two_bf16({"TF_BF16_CONVERSION": "0"})
    hpu.refuse_two_bf16({})
