#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/fcn8s_kitti.yaml --data_root KITTI_ROAD
# FCN-8s on VGG16 for road, 160x576, skips scaled for training at once, 80 epochs: docs/systems/fcn8s_kitti.md.
# A shortened run on real data: docs/results.md, Recipes. The whole data set is not measured yet.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" auto fcn8s_kitti "$@"
