#!/usr/bin/env bash
# Train with a preset:   run_scripts/preset.sh DEVICE NAME [flags of train]
#
# Sets the environment up (with Horovod for a NAME that ends in _dist), brings the data set if it is not there, and
# trains with presets/NAME.yaml. Flags and variables SEGNET_<SETTING> override the preset. Paths are relative to the
# project's root. --dry_run installs and looks for nothing: it prints the command that would train.
set -euo pipefail

device=$1 name=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

asks_help=''
dry_run=${SEGNET_DRY_RUN:-}
for flag; do
    case $flag in
        -h | --help) asks_help=1 ;;
        --dry_run | --dry_run=true) dry_run=1 ;;
    esac
done
if [[ -n $asks_help || -n $dry_run ]]; then
    python=${SEGNET_PYTHON:-${VENV:-.venv}/bin/python}
    command -v "$python" > /dev/null || python=python3
    [[ -z $asks_help ]] || exec "$python" -m segnet_hpu train --help
    exec "$python" -m segnet_hpu train --config "run_scripts/presets/$name.yaml" "$@"
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

install=setup_env.sh
# Into a Python that was brought along nothing is installed.
[[ $name != *_dist || -n ${SEGNET_PYTHON:-} ]] || install=install_horovod.sh
python=$("run_scripts/$install" "$device")
if [[ ! -d dataset1/images_prepped_train && -z ${SEGNET_TRAIN_IMAGES:-} && " $* " != *" --train_images"* ]]; then
    PYTHON=$python ./data_prepare.sh
fi

command=("$python" -m segnet_hpu train --config "run_scripts/presets/$name.yaml" "$@")
printf '%q ' "${command[@]}"
echo
exec "${command[@]}"
