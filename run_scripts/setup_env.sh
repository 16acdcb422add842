#!/usr/bin/env bash
# Make Python ready for one kind of device:   run_scripts/setup_env.sh cpu|gpu|hpu [--backend tensorflow|torch|jax]
#
# Makes or reuses .venv at the project's root, installs the backend (TensorFlow) for the device and this project,
# and prints the Python to use on standard output; all else goes to standard error.
# A second run installs nothing.
#
# hpu: Habana's TensorFlow of SynapseAI 1.14, or, where Habana's PyTorch is installed, an environment over that Python:
# its PyTorch stays as it is.
#
#   SEGNET_BACKEND=torch         the same as --backend torch
#   TORCH_VERSION=2.13.0         another PyTorch than the newest
#   TORCH_INDEX=URL              a package index with PyTorch for the CPU in place of PyTorch's own; "" for none
#   SEGNET_PYTHON=/path/python   use this Python as it is, install nothing
#   PYTHON=python3.11            make the environment with this Python
#   VENV=/path/folder            make the environment there instead of .venv
#   TF_VERSION=2.15.1            another TensorFlow than the newest that is supported
#   SETUP_DRY_RUN=1              print the steps, do none
#
# An active environment ($VIRTUAL_ENV) that holds all packages is used as it is.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
device=${1:-}
backend=${SEGNET_BACKEND:-auto}
case "${2:-} ${3:-}" in
    " ") ;;
    --backend=*" ") backend=${2#*=} ;;
    "--backend "?*) backend=$3 ;;
    *) device= ;;
esac
[[ $backend =~ ^(auto|tensorflow|torch|jax)$ ]] || device=
venv=${VENV:-$root/.venv}
[[ $venv == /* ]] || venv=$PWD/$venv
say() { echo "setup_env: $*" >&2; }
fail() { say "$*"; exit 1; }

has_bridge() {  # does this Python have Habana's module for PyTorch?
    [[ $("$1" -c 'from importlib.util import find_spec as find
print(*[m for m in ("habana_frameworks",) if find(m) and find(m + ".torch")])' 2> /dev/null) == *habana* ]]
}

backend_of_gaudi() {  # what Habana's software on this machine can be reached by
    local base=${SEGNET_PYTHON:-${PYTHON:-python3}} driver
    if has_bridge "$base"; then echo torch; return; fi
    driver=$(hl-smi -Q driver_version -f csv,noheader 2> /dev/null | grep -oE -m 1 '^[0-9]+\.[0-9]+') || true
    [[ -z $driver || ${driver%.*} -lt 1 || ($driver == 1.* && ${driver#*.} -le 14) ]] ||
        fail "SynapseAI $driver has no TensorFlow, and $base lacks Habana's PyTorch (habana-torch-plugin): use Habana's" \
            "image or installer, or PYTHON=/path/python for the Python that has it"
    echo tensorflow
}

version=''
case $device/$backend in
    hpu/jax) fail "JAX cannot compute on Gaudi: --backend torch, or tensorflow with SynapseAI 1.14" ;;
    hpu/auto) backend=$(backend_of_gaudi) ;;
    */auto) backend=tensorflow ;;
esac
case $device/$backend in
    cpu/tensorflow | gpu/tensorflow) version=${TF_VERSION:-2.21.*} ;;
    hpu/tensorflow)
        version=${TF_VERSION:-2.15.0}
        [[ $version == 2.15.0 ]] || fail "TF_VERSION is $version; Habana's package needs 2.15.0: unset TF_VERSION"
        ;;
    cpu/* | gpu/* | hpu/*) ;;
    *) echo "usage: run_scripts/setup_env.sh cpu|gpu|hpu [--backend tensorflow|torch|jax]" >&2; exit 2 ;;
esac

# ---- a Python that already holds everything -------------------------------------------------

missing_in() {  # the modules that a Python lacks
    "$1" -c 'import importlib.util as util
import sys; print(*[m for m in (sys.argv[1], "keras", "numpy", "cv2", "yaml", "tqdm") if not util.find_spec(m)])' \
        "$backend"
}

ready() {
    say "environment ready: $2"
    echo "$1"
    exit 0
}

if [[ -n ${SEGNET_PYTHON:-} ]]; then
    missing=$(missing_in "$SEGNET_PYTHON") || fail "SEGNET_PYTHON=$SEGNET_PYTHON does not run; expected a Python"
    [[ -z $missing ]] || fail "SEGNET_PYTHON=$SEGNET_PYTHON lacks: $missing. Install them, or unset SEGNET_PYTHON"
    ready "$SEGNET_PYTHON" "SEGNET_PYTHON=$SEGNET_PYTHON, as it is"
elif [[ -z ${VENV:-} && -n ${VIRTUAL_ENV:-} && ! $VIRTUAL_ENV -ef $venv && -x $VIRTUAL_ENV/bin/python ]]; then
    [[ -n $(missing_in "$VIRTUAL_ENV/bin/python") ]] ||
        ready "$VIRTUAL_ENV/bin/python" "the active one, $VIRTUAL_ENV, as it is"
fi

# ---- what to install -------------------------------------------------------------------------

# Habana's library is built against the CPU's wheel: beside the one with CUDA it ends the process when loaded.
wheel=tensorflow-cpu other=tensorflow
[[ $device != gpu ]] || wheel="tensorflow[and-cuda]" other=tensorflow-cpu
# On other machines than x86 Linux the CPU's wheel is called tensorflow.
[[ $device/$(uname -sm) == "cpu/Linux x86_64" || $device != cpu ]] || wheel=tensorflow other=tensorflow-cpu

steps=() layers=''
if [[ $device/$backend == hpu/torch ]]; then
    # Nothing of these asks for PyTorch; later versions of OpenCV ask for NumPy 2, which Habana's may not suit.
    layers=--system-site-packages
    steps+=("install keras>=3.12.4,<3.16 opencv-python-headless<4.12 -r requirements.txt")
    steps+=("install --no-deps -e .")
elif [[ $backend != tensorflow ]]; then
    index=${TORCH_INDEX-https://download.pytorch.org/whl/cpu}
    extra="-e .[$backend]"
    [[ $device/$backend != cpu/torch || -z $index ]] || extra="--extra-index-url $index $extra"
    [[ $device/$backend != gpu/jax ]] || extra="jax[cuda12] $extra"
    [[ $backend != torch || -z ${TORCH_VERSION:-} ]] || extra="torch==$TORCH_VERSION $extra"
    steps+=("install $extra")
elif [[ $version == 2.15* ]]; then
    # TensorFlow 2.15 asks for Keras 2.15, so Keras 3 goes over it without pip's resolver. 3.12.4 is the last for
    # Python 3.10; NumPy 2 and the OpenCV that needs it are too new for this TensorFlow.
    steps+=("install $wheel==$version numpy<2 opencv-python-headless<4.12 namex optree rich -r requirements.txt")
    steps+=("install --no-deps keras==3.12.4")
    [[ $device != hpu ]] || steps+=("install --no-deps habana-tensorflow==1.14.0.493")
    steps+=("install --no-deps -e .")
else
    steps+=("install $wheel==$version -e .")
fi

case $device/$version in
    hpu/2.15*) pythons=(3.10) ;;
    hpu/) pythons=(3.12 3.11 3.10) ;;
    */2.15*) pythons=(3.11 3.10) ;;
    */2.1[6-9]*) pythons=(3.12 3.11 3.10) ;;
    *) pythons=(3.12 3.11 3.13 3.10) ;;
esac
needs="$device with $backend${version:+ $version} needs Python $(printf '%s or ' "${pythons[@]}" | sed 's/ or $//')"

suits() {  # does this command run, and is it one of $pythons?
    local found
    found=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) && [[ " ${pythons[*]} " == *" $found "* ]]
}

find_python() {
    local candidate
    if [[ -n $layers ]]; then
        has_bridge "${PYTHON:-python3}" || fail "${PYTHON:-python3} lacks Habana's PyTorch (habana-torch-plugin): use" \
            "Habana's image or installer, or PYTHON=/path/python for the Python that has it"
        echo "${PYTHON:-python3}"
        return
    fi
    if [[ -n ${PYTHON:-} ]]; then
        suits "$PYTHON" || fail "PYTHON=$PYTHON does not suit: $needs"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 "${pythons[@]/#/python}"; do
        if suits "$candidate"; then echo "$candidate"; return; fi
    done
    fail "no suitable Python found: $needs; install one, or set PYTHON=/path/python"
}

# ---- done before? ----------------------------------------------------------------------------

stamp_of() {  # all that decides what is installed
    { echo "$root $1 $backend ${TF_VERSION:-} ${TORCH_VERSION:-} ${TORCH_INDEX:-}"; cd "$root"; cat requirements.txt setup.py run_scripts/setup_env.sh; } |
        sha256sum | cut -d' ' -f1
}

python=$venv/bin/python
stamp=$venv/segnet_hpu.$backend.stamp
done_before() {
    [[ -x $python && -f $stamp ]] || return 1
    local held
    held=$(< "$stamp")
    [[ $held == "$(stamp_of "$device")" ]] && return
    # The CPU needs no more than what GPU and HPU have.
    [[ $device == cpu && ($held == "$(stamp_of gpu)" || $held == "$(stamp_of hpu)") ]]
}

if [[ -n ${SETUP_DRY_RUN:-} ]]; then
    [[ -x $python ]] || echo "$( (find_python) 2> /dev/null || echo "python${pythons[0]}") -m venv ${layers:+$layers }$venv"
    [[ $backend != tensorflow ]] || echo "$python -m pip uninstall -y $other"
    printf '%s\n' "${steps[@]/#/$python -m pip }"
    exit 0
fi

done_before && ready "$python" "$venv ($device)"

# ---- install ---------------------------------------------------------------------------------

# Two presets started together must not install into one folder at once.
if command -v flock > /dev/null; then
    exec 9< "$root"
    flock 9
    done_before && ready "$python" "$venv ($device)"
fi

log=$(mktemp "${TMPDIR:-/tmp}/segnet_setup.XXXXXX")
run() {
    "$@" >> "$log" 2>&1 && return
    tail -n 15 "$log" >&2
    fail "failed: $* (whole log: $log). No network? SEGNET_PYTHON=/path/python uses a Python that has $backend"
}

if [[ ! -x $python ]]; then
    base=$(find_python)
    say "making $venv with $base, $backend${version:+ $version} for $device; this takes a few minutes once"
    run "$base" -m venv ${layers:+"$layers"} "$venv"
elif suits "$python"; then
    say "bringing $venv to $backend${version:+ $version} for $device"
else
    fail "$venv holds another Python: $needs; set VENV=$root/.venv-$device, or remove $venv"
fi

cd "$root"
rm -f "$stamp"
# Both wheels write the same folder: the other one has to go first.
[[ $backend != tensorflow ]] || run "$python" -m pip uninstall -q -y "$other"
for step in "${steps[@]}"; do
    read -ra words <<< "$step"
    run "$python" -m pip --disable-pip-version-check --no-input "${words[@]}"
done
if [[ -n $layers ]] && ! "$python" -c 'import sys, torch; sys.exit(torch.__file__.startswith(sys.prefix))'; then
    fail "$venv has a PyTorch of its own beside Habana's; remove $venv and try again"
fi
stamp_of "$device" > "$stamp"
rm -f "$log"
ready "$python" "$venv ($device)"
