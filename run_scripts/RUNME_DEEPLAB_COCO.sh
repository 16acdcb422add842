#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/deeplab_coco.yaml --data_root COCO
# DeepLabv3+ on ResNet-101, output stride 16, 512x512, the 21 Pascal VOC classes of COCO 2017, 30 epochs:
# docs/systems/deeplab_coco.md. Several devices: add --distributed --num_workers 4.
# A shortened run on real data: docs/results.md, Recipes. The whole data set is not measured yet.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" auto deeplab_coco "$@"
