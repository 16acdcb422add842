#!/usr/bin/env bash
# Speed and a score on one GPU, in ten minutes at most:   benchmarks/gpu.sh OUT
#
#   1. a training step of vgg_segnet, 320x640, batch 16, bf16 and fp32: ours on PyTorch and on JAX, and the same graph
#      as plain PyTorch in channels_last, compiled; as many images a second, share of the card's bf16 peak
#   2. `train` on CamVid at 360x480 in bf16 against the step alone: what the loader costs
#   3. VGG-SegNet on CamVid for the seconds that are left, by a cosine schedule that ends with them
#
# PYTHON: a Python with torch, JAX, Keras and what requirements.txt names. SEGNET_TEST_DATA: holds camvid/. Smaller,
# to try it on a CPU: HEIGHT=64 WIDTH=128 BATCH=2 STEPS=3 SIZE="64 96" TOTAL=300 DATA_TYPES=fp32 benchmarks/gpu.sh OUT
set -euo pipefail
out=$(realpath -m "${1:?usage: benchmarks/gpu.sh OUT}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
total=${TOTAL:-570} engine=${ENGINE:-auto} encoder=${ENCODER_WEIGHTS:-random}
read -ra size <<< "${SIZE:-360 480}"
read -ra data_types <<< "${DATA_TYPES:-bf16 fp32}"
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 XLA_PYTHON_CLIENT_PREALLOCATE=false
mkdir -p "$out"

step() {  # kind, flags: a line of JSON, or what went wrong
    timeout 150 "$python" benchmarks/gpu_step.py "$@" 2> "$out/error.log" | tee -a "$out/steps.jsonl" ||
        echo "gpu_step.py $*: failed: $(tail -n 1 "$out/error.log")" | tee -a "$out/steps.jsonl"
}
for data_type in "${data_types[@]}"; do
    sizes=(--height "${HEIGHT:-320}" --width "${WIDTH:-640}" --batch "${BATCH:-16}" --steps "${STEPS:-20}" --data_type "$data_type")
    step torch "${sizes[@]}"
    step pytorch "${sizes[@]}"
    [[ -n ${NO_COMPILE:-} ]] || step pytorch "${sizes[@]}" --compile
    step jax "${sizes[@]}"
done

camvid=$SEGNET_TEST_DATA/camvid
train() {  # model_dir, flags
    "$python" -m segnet_hpu train --backend torch --model_name vgg_segnet --n_classes 12 --ignore_label 11 \
        --palette camvid --train_images "$camvid/train" --train_annotations "$camvid/trainannot" \
        --input_height "${size[0]}" --input_width "${size[1]}" --batch_size "${CAMVID_BATCH:-8}" \
        --data_type "${data_types[0]}" --train_engine "$engine" --encoder_weights "$encoder" --loss ce_dice \
        --learning_rate 3e-4 --lr_schedule cosine --do_augment \
        --augmentation_name flip,brightness=0.2,scale=0.75:1.5 --model_dir "$@" 2>&1 | tee -a "$out/train.log"
}
step torch --height "${size[0]}" --width "${size[1]}" --batch "${CAMVID_BATCH:-8}" --steps "${STEPS:-20}" \
    --data_type "${data_types[0]}"
# Two passes: the second reads from memory.
train "$out/rate" --epochs 2 --steps_per_epoch "${RATE_STEPS:-46}" > /dev/null
pass=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "images_per_second") c = i } END { print 367 / $c }' "$out/rate/metrics.csv")
echo "train: $(cat "$out/rate/metrics.csv")"

# Every so many passes a validation.
left=$((total - SECONDS - 30)) passes=${PASSES:-5}
epochs=$(awk -v left="$left" -v pass="$pass" -v n="$passes" 'BEGIN { e = int(left / (n * pass + 8)); print e < 1 ? 1 : e }')
echo "CamVid: $left s left, $pass s a pass: $epochs epochs of $passes passes"
train "$out/camvid" --epochs "$epochs" --steps_per_epoch "$((passes * 367 / ${CAMVID_BATCH:-8}))" --warmup_epochs 0.5 \
    --validate --val_images "$camvid/val" --val_annotations "$camvid/valannot" --val_batch_size 8
cat "$out/camvid/metrics.csv"
