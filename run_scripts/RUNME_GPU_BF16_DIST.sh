#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/gpu_bf16_dist.yaml
# VGG-SegNet, 12 classes, 320x640, bf16, on 8 GPUs with batch 16 each, 125 epochs at learning rate 2e-5: the settings
# that Habana published for one box of 8 Gaudis. NUM_WORKERS=2 uses 2 GPUs; --hosts a:8,b:8 uses more machines.
# Needs the CUDA toolkit to build Horovod. Time, memory and score on GPUs: not measured yet.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" gpu gpu_bf16_dist "$@"
