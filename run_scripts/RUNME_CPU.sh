#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/cpu.yaml
# VGG-SegNet, 12 classes, 192x256, fp32, batch 2, on the CPU.
# Time, memory, score: see below
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" cpu cpu "$@"
