#!/usr/bin/env bash
# Add Horovod to the environment for one kind of device:   run_scripts/install_horovod.sh cpu|gpu|hpu
#
# Takes the Python of run_scripts/setup_env.sh, builds Horovod for the TensorFlow in it (about 2 minutes of 2 cores,
# once: the wheel is kept), installs it, and has two workers add two numbers. Prints the Python to use on standard
# output; all else goes to standard error. A second run installs nothing.
#
#   cpu: Gloo, and MPI too where mpirun is found. gpu: NCCL as well. hpu: Habana's own package with MPI, as it is
#   where it is installed, else built with SynapseAI's headers.
#
#   SEGNET_PYTHON=/path/python   install into this Python's environment
#   XDG_CACHE_HOME=/path/folder  keep wheels in segnet_hpu/ there instead of in ~/.cache
#   SETUP_DRY_RUN=1              print the steps, do none
#
# PYTHON, VENV and TF_VERSION are those of setup_env.sh.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
device=${1:-}
package=horovod release=0.28.1
changes=1 # raise it with every change to what `build` makes of the release
cache=${XDG_CACHE_HOME:-$HOME/.cache}/segnet_hpu
say() { echo "install_horovod: $*" >&2; }
fail() { say "$*"; exit 1; }

case $device in
    cpu | gpu) ;;
    hpu) package=habana-horovod release=1.14.0.493 ;;
    *) echo "usage: run_scripts/install_horovod.sh cpu|gpu|hpu" >&2; exit 2 ;;
esac

if [[ -n ${SETUP_DRY_RUN:-} ]]; then
    "$root/run_scripts/setup_env.sh" "$device"
    python=${SEGNET_PYTHON:-${VENV:-$root/.venv}/bin/python}
else
    python=$("$root/run_scripts/setup_env.sh" "$device")
fi

# ---- what is here, what is wanted ------------------------------------------------------------

# The version too: Horovod is linked to this MPI.
mpi=$(mpirun --version 2> /dev/null | head -n 1 | grep -oE '[0-9]+(\.[0-9]+)+') || true
case $device in
    cpu) transports=gloo${mpi:+,mpi$mpi} ;;
    gpu) transports=gloo${mpi:+,mpi$mpi},nccl ;;
    hpu) transports=${mpi:+mpi$mpi,}hccl ;;
esac

mapfile -t facts < <("$python" - "$package" 2> /dev/null <<'FACTS'
import importlib.metadata as metadata, os, sys, sysconfig
def version(*names):
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return "none"
print(version("tensorflow", "tensorflow-cpu"), "cp%d%d" % sys.version_info[:2], version(sys.argv[1]),
      sysconfig.get_path("platlib"), os.path.join(sysconfig.get_path("include"), "Python.h"), sep="\n")
FACTS
)
tensorflow=${facts[0]:-${TF_VERSION:-2.21}} tag=${facts[1]:-cp3} installed=${facts[2]:-none}
platlib=${facts[3]:-} stamp=${facts[3]:-}/segnet_hpu_horovod.stamp header=${facts[4]:-}
key=$package-$release.$changes-tf$tensorflow-$tag-${transports//,/-}-$(uname -m)
wheels=$cache/$key

if [[ $tensorflow == none ]]; then
    say "no TensorFlow in $python: several workers meet through PyTorch, without Horovod"
    echo "$python"
    exit 0
fi

ready() {
    say "Horovod ready: $1"
    echo "$python"
    exit 0
}

# ---- steps -----------------------------------------------------------------------------------

# Beside Horovod itself: what its horovodrun imports.
needs=(cloudpickle psutil pyyaml packaging)
options=(HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1)
if [[ $device != hpu ]]; then options+=(HOROVOD_WITH_GLOO=1); else options+=(HOROVOD_WITHOUT_GLOO=1); fi
if [[ -n $mpi ]]; then options+=(HOROVOD_WITH_MPI=1); else options+=(HOROVOD_WITHOUT_MPI=1); fi
[[ $device != gpu ]] || options+=(HOROVOD_GPU_OPERATIONS=NCCL)

# From TensorFlow 2.19 on the headers that this one file of Horovod's wants have moved; it is for XLA only.
source=$package-$release
xla=$source/horovod/tensorflow/CMakeLists.txt
xla_moved() { [[ $device != hpu && $(printf '%s\n' 2.19 "$tensorflow" | sort -V | head -n 1) == 2.19 ]]; }

# Over Gloo the check for workers that do not come to an exchange sees no worker: a list of theirs stays empty.
stall=$source/horovod/common/gloo/gloo_controller.cc

if [[ -n ${SETUP_DRY_RUN:-} ]]; then
    echo "$python -m pip download --no-binary $package $package==$release"
    ! xla_moved || echo "sed -i /xla_mpi_ops.cc/d $xla"
    [[ $device == hpu ]] || echo "sed -i s/global_ranks_.reserve/global_ranks_.resize/ $stall"
    echo "${options[*]} $python -m pip wheel --no-build-isolation -w $wheels $source"
    echo "$python -m pip install --no-deps $wheels/*.whl"
    echo "$python -m pip install ${needs[*]}"
    exit 0
fi

[[ $tensorflow != none ]] || fail "$python has no TensorFlow; unset SEGNET_PYTHON, or install TensorFlow there first"
[[ ! -f $stamp || $installed == none || $(< "$stamp") != "$key" ]] ||
    ready "$installed for TensorFlow $tensorflow ($transports)"

log=$(mktemp "${TMPDIR:-/tmp}/segnet_horovod.XXXXXX")
work=$(mktemp -d "${TMPDIR:-/tmp}/segnet_horovod.XXXXXX")
trap 'rm -rf "$work"' EXIT
run() {
    "$@" >> "$log" 2>&1 && return
    grep -E '[Ee]rror' "$log" | tail -n 10 >&2 || true
    tail -n 5 "$log" >&2
    fail "failed: $* (whole log: $log)"
}
pip() { run "$python" -m pip --disable-pip-version-check --no-input "$@"; }

# Two runs started together must not build one wheel at once.
mkdir -p "$cache" || fail "cannot write $cache; set XDG_CACHE_HOME to a folder that may be written"
if command -v flock > /dev/null; then
    exec 9< "$cache"
    flock 9
fi

require_tools() {
    local missing=() packages=()
    require() { missing+=("$1"); packages+=("$2"); }
    command -v g++ > /dev/null || require "the compiler g++" g++
    command -v make > /dev/null || require make make
    command -v cmake > /dev/null || require cmake cmake
    [[ -f $header ]] || require "Python's headers ($header)" "python${tag:2:1}.${tag:3}-dev"
    [[ -z $mpi ]] || command -v mpicxx > /dev/null || require "MPI's compiler mpicxx" libopenmpi-dev
    [[ $device != gpu ]] || command -v nvcc > /dev/null || require "CUDA's compiler nvcc" nvidia-cuda-toolkit
    [[ $device != hpu || -f /usr/include/habanalabs/hccl.h ]] ||
        fail "SynapseAI's headers (/usr/include/habanalabs/hccl.h) are missing; install SynapseAI 1.14.0"
    [[ ${#missing[@]} == 0 ]] || fail "to build Horovod this machine lacks $(printf '%s, ' "${missing[@]}" | sed 's/, $//');" \
        "on Debian and Ubuntu: apt-get install ${packages[*]}"
}

build() {
    require_tools
    say "building $package $release for TensorFlow $tensorflow ($transports); this takes some minutes once"
    # Build tools of their own, so that the environment keeps its packages; newer setuptools lack pkg_resources.
    pip install --target "$work/tools" "setuptools<81" wheel cffi "${needs[@]}"
    export PYTHONPATH=$work/tools
    # Parts of Horovod ask for a CMake so old that newer ones refuse it.
    export CMAKE_POLICY_VERSION_MINIMUM=3.5
    pip download --no-deps --no-build-isolation --no-binary "$package" -d "$work" "$package==$release"
    run tar -xzf "$work/$source.tar.gz" -C "$work"
    ! xla_moved || run sed -i '/xla_mpi_ops\.cc/d' "$work/$xla"
    [[ $device == hpu ]] || run sed -i 's/global_ranks_\.reserve/global_ranks_.resize/' "$work/$stall"
    [[ $device != gpu ]] || use_nccl_of_pip
    run env "${options[@]}" "$python" -m pip --disable-pip-version-check wheel --no-deps --no-build-isolation \
        --no-cache-dir -w "$work/wheel" "$work/$source"
    rm -rf "$wheels"
    run mv "$work/wheel" "$wheels"
    unset PYTHONPATH
}

use_nccl_of_pip() {  # the NCCL that came with TensorFlow, where the system has none to build with
    local nccl
    nccl=$platlib/nvidia/nccl
    [[ -d $nccl/include && ! -f /usr/include/nccl.h ]] || return 0
    mkdir -p "$work/nccl"
    ln -s "$nccl"/lib/libnccl.so.2 "$work/nccl/libnccl.so"
    options+=(HOROVOD_NCCL_INCLUDE="$nccl/include" HOROVOD_NCCL_LIB="$work/nccl" HOROVOD_NCCL_LINK=SHARED)
}

# ---- install ---------------------------------------------------------------------------------

if [[ $device == hpu && -z $mpi ]]; then
    fail "there is no mpirun; Habana's Horovod needs Open MPI 4.1.5, which comes with SynapseAI 1.14.0"
elif [[ $device != hpu || $installed != "$release" ]]; then
    compgen -G "$wheels/*.whl" > /dev/null || build
    pip install --no-deps --force-reinstall "$wheels"/*.whl
fi
pip install "${needs[@]}"

# ---- verify ----------------------------------------------------------------------------------

cat > "$work/add.py" <<'ADD'
import importlib.util
from segnet_hpu.runtime.devices import prepare_horovod
prepare_horovod()
if importlib.util.find_spec("habana_frameworks"):
    from habana_frameworks.tensorflow import load_habana_module
    load_habana_module()
import tensorflow as tf, horovod.tensorflow as hvd
hvd.init()
assert hvd.size() == 2, f"{hvd.size()} worker instead of 2"
gpus = tf.config.list_physical_devices("GPU")
tf.config.set_visible_devices(gpus[hvd.local_rank()] if len(gpus) >= 2 else [], "GPU")
total = hvd.allreduce(tf.constant([1.0 + hvd.rank(), 10.0]), op=hvd.Sum).numpy().tolist()
assert total == [3.0, 20.0], total
ADD
verify() {
    say "two workers add numbers through $1"
    shift
    run env TF_CPP_MIN_LOG_LEVEL=2 PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" timeout 300 "$@" "$python" "$work/add.py"
}
[[ $device == hpu ]] || verify Gloo "$(dirname "$python")/horovodrun" --gloo -np 2
[[ -z $mpi ]] || verify MPI mpirun --allow-run-as-root --oversubscribe --mca btl ^openib -np 2

{ echo "$key" > "$stamp"; } 2> /dev/null || say "$platlib cannot be written: the next run verifies Horovod again"
rm -f "$log"
ready "$release for TensorFlow $tensorflow ($transports)"
