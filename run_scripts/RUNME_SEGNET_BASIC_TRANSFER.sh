#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/segnet_basic_transfer.yaml --data_root CITYSCAPES
# SegNet-Basic on Cityscapes with a dice loss, 360x480, 19 classes. With --init_from segnet_basic_camvid.caffemodel, of
# the SegNet authors' model zoo, it starts from their CamVid weights; without from random ones: docs/systems/segnet_basic_transfer.md.
# A shortened run on real data: docs/results.md, Recipes. The whole data set is not measured yet.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" auto segnet_basic_transfer "$@"
