#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/hpu_bf16.yaml
# VGG-SegNet, 12 classes, 320x640, bf16, batch 16, 125 epochs at learning rate 1e-5: the settings that Habana
# published for one Gaudi. Needs SynapseAI 1.14.0 and Python 3.10, or a later one with Habana's PyTorch. Time, memory
# and score: not measured yet on a card; only the steps up to loading the device are tested, against a stand-in.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" hpu hpu_bf16 "$@"
