#!/usr/bin/env bash
# Train with a preset:   run_scripts/preset.sh DEVICE NAME [flags of train]
#
# Sets the environment up, brings the data set if it is not there, and trains with presets/NAME.yaml. Flags and
# variables SEGNET_<SETTING> override the preset. Paths are relative to the project's root.
set -euo pipefail

device=$1 name=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

asks_help=
for flag; do [[ $flag != -h && $flag != --help ]] || asks_help=1; done
if [[ -n $asks_help ]]; then
    python=${SEGNET_PYTHON:-${VENV:-.venv}/bin/python}
    [[ -x $python ]] || python=python3
    exec "$python" -m segnet_hpu train --help
fi

# Better now than after gigabytes of downloads.
if [[ -z ${SEGNET_PYTHON:-} ]]; then
    case $device in
        gpu) nvidia-smi -L > /dev/null 2>&1 || { echo "no NVIDIA GPU here: nvidia-smi is missing or lists none;" \
            "see run_scripts/RUNME_CPU.sh" >&2; exit 2; } ;;
        hpu) hl-smi -L > /dev/null 2>&1 || { echo "no Gaudi card here: hl-smi is missing or lists none;" \
            "see run_scripts/RUNME_CPU.sh" >&2; exit 2; } ;;
    esac
fi

python=$(run_scripts/setup_env.sh "$device")
if [[ ! -d dataset1/images_prepped_train && -z ${SEGNET_TRAIN_IMAGES:-} && " $* " != *" --train_images"* ]]; then
    PYTHON=$python ./data_prepare.sh
fi

command=("$python" -m segnet_hpu train --config "run_scripts/presets/$name.yaml" "$@")
printf '%q ' "${command[@]}"
echo
exec "${command[@]}"
