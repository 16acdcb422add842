#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/cpu_bf16.yaml
# RUNME_CPU.sh in bf16, for CPUs with AVX512_BF16 or AMX; elsewhere it is slower than fp32, and says so.
# Memory, disk and score as there. Such small pictures gain little: the gain of bf16 grows with the size.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" cpu cpu_bf16 "$@"
