#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/hpu_bf16_dist.yaml
# VGG-SegNet, 12 classes, 320x640, bf16, on 8 cards with batch 16 each, 125 epochs at learning rate 2e-5: the
# settings that Habana published for one box. NUM_WORKERS=2 (or 4) uses a part of it; --hosts a:8,b:8 uses more.
# Needs Open MPI and SynapseAI 1.14.0 with its headers and Python 3.10, or a later one with Habana's PyTorch. Time,
# memory, score: not yet measured.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" hpu hpu_bf16_dist "$@"
