#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/cpu.yaml
# VGG-SegNet from random weights, 12 classes, 96x128, fp32, batch 2, 20 epochs on the CPU.
# On the sample data, 2 cores: about 4 minutes, 2 GB of memory, 0.6 GB of disk; validation mean IoU 0.21, where
# the best constant prediction reaches 0.04.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" cpu cpu "$@"
