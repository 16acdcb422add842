#!/usr/bin/env bash
# A trained model in every format: size, agreement with Keras on real pictures, time a picture. docs/export.md has
# the table of CamVid's 101 validation pictures, of which every second is used.
#
#   PYTHON=.venv/bin/python benchmarks/export.sh CHECKPOINT PICTURES TRAINING_PICTURES OUT
set -euo pipefail
model=$1 pictures=$2 training=$3 out=$4
for format in saved_model:street frozen_pb:street.pb tflite:street.tflite tflite_fp16:street_fp16.tflite \
    tflite_int8:street_int8.tflite onnx:street.onnx; do
    calibration=()
    if [ "${format%%:*}" = tflite_int8 ]; then calibration=(--calibration_images "$training"); fi
    "${PYTHON:-python}" -m segnet_hpu export --checkpoints_path "$model" --format "${format%%:*}" --argmax \
        --out "$out/${format#*:}" --overwrite "${calibration[@]}" --verify --verify_images "$pictures" || true
done
