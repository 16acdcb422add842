#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/fcn8s_kitti.yaml --data_root KITTI_ROAD
# FCN-8s on VGG16 for road, 160x576, skips scaled for training at once, 80 epochs: docs/systems/fcn8s_kitti.md.
# Time, memory and score on the whole data set: not measured yet.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" auto fcn8s_kitti "$@"
