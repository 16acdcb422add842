#!/usr/bin/env bash
# python -m segnet_hpu train --config run_scripts/presets/fcn8s_wide_kitti.yaml --data_root KITTI_ROAD
# FCN-8s with a wide decoder on VGG16 for road, 160x576, contrast treated (CLAHE), 40 epochs, the best by validation
# loss kept: docs/systems/fcn8s_wide_kitti.md.
# A shortened run on real data: docs/results.md, Recipes. The whole data set is not measured yet.
exec "$(dirname "${BASH_SOURCE[0]}")/preset.sh" auto fcn8s_wide_kitti "$@"
