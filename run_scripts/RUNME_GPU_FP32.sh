#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/gpu_fp32.yaml
# VGG-SegNet, 12 classes, 320x640, fp32, batch 16, 125 epochs at learning rate 1e-5, on one GPU: the settings that
# Habana published for one Gaudi. Time, memory and score on a GPU: not measured yet.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" gpu gpu_fp32 "$@"
