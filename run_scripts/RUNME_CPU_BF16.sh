#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/cpu_bf16.yaml
# VGG-SegNet, 12 classes, 192x256, bf16, batch 2, on the CPU. Slow where the CPU has no bf16 instructions
# (`python -m segnet_hpu doctor` tells).
# Time, memory, score: see below
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" cpu cpu_bf16 "$@"
