#!/usr/bin/env bash
# Train with a preset:   run_scripts/preset.sh DEVICE NAME [flags of train]
#
# DEVICE: cpu, gpu, hpu, or auto for the best that is here.
# Sets the environment up (with Horovod for a NAME that ends in _dist, and for --distributed; --backend torch or jax
# installs that), brings dataset1 if it is needed and not there, or refuses where the data_root of another data set is
# missing, and trains with presets/NAME.yaml. Flags and variables SEGNET_<SETTING> override the preset. Paths are
# relative to the project's root. --dry_run installs and looks for nothing: it prints the command that would train.
set -euo pipefail

device=$1 name=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

asks_help='' distributed='' before=''
wanted=${SEGNET_DRY_RUN:-} dry_run=''
[[ ! ${wanted,,} =~ ^(1|true|yes|on)$ ]] || dry_run=1
default_root=$(sed -n 's/^data_root: *//p' "run_scripts/presets/$name.yaml")
data_root=${SEGNET_DATA_ROOT:-$default_root}
backend=${SEGNET_BACKEND:-auto}
[[ $name != *_dist ]] || distributed=1
for flag; do
    [[ $before != --data_root ]] || data_root=$flag
    case $flag in
        -h | --help) asks_help=1 ;;
        --dry_run | --dry_run=true) dry_run=1 ;;
        --distributed | --distributed=true) distributed=1 ;;
        --data_root=*) data_root=${flag#*=} ;;
        --backend=*) backend=${flag#*=} ;;
    esac
    [[ $before != --backend ]] || backend=$flag
    before=$flag
done
if [[ -n $asks_help || -n $dry_run ]]; then
    python=${SEGNET_PYTHON:-${VENV:-.venv}/bin/python}
    command -v "$python" > /dev/null || python=python3
    [[ -z $asks_help ]] || exec "$python" -m segnet_hpu train --help
    exec "$python" -m segnet_hpu train --config "run_scripts/presets/$name.yaml" "$@"
fi

# Better now than after gigabytes of downloads.
if [[ -n $default_root && ! -d $data_root ]]; then
    dataset=$(sed -n 's/^dataset: *//p' "run_scripts/presets/$name.yaml")
    echo "no folder $data_root; give the one that holds $dataset as published: --data_root FOLDER" >&2
    exit 2
fi
if [[ $device == auto ]]; then
    device=cpu
    ! nvidia-smi -L > /dev/null 2>&1 || device=gpu
    ! hl-smi -L > /dev/null 2>&1 || device=hpu
fi
if [[ -z ${SEGNET_PYTHON:-} ]]; then
    case $device in
        gpu) nvidia-smi -L > /dev/null 2>&1 || { echo "no NVIDIA GPU here: nvidia-smi is missing or lists none;" \
            "see run_scripts/RUNME_CPU.sh" >&2; exit 2; } ;;
        hpu) hl-smi -L > /dev/null 2>&1 || { echo "no Gaudi card here: hl-smi is missing or lists none;" \
            "see run_scripts/RUNME_CPU.sh" >&2; exit 2; } ;;
    esac
fi

install=setup_env.sh
# Into a Python that was brought along nothing is installed. Horovod is TensorFlow's.
[[ -z $distributed || -n ${SEGNET_PYTHON:-} || $backend =~ ^(torch|jax)$ ]] || install=install_horovod.sh
python=$(SEGNET_BACKEND=$backend "run_scripts/$install" "$device")
if [[ -z $default_root && ! -d dataset1/images_prepped_train && -z ${SEGNET_TRAIN_IMAGES:-} && " $* " != *" --train_images"* ]]; then
    PYTHON=$python ./data_prepare.sh
fi

command=("$python" -m segnet_hpu train --config "run_scripts/presets/$name.yaml" "$@")
printf '%q ' "${command[@]}"
echo
exec "${command[@]}"
