"""The shell scripts: syntax, the steps of each device, the stamp, and the presets' settings."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from segnet_hpu import config
from segnet_hpu.cli import train
from segnet_hpu.launch.requirements import check_workers

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "run_scripts").glob("*.sh"))
PRESETS = sorted((ROOT / "run_scripts" / "presets").glob("*.yaml"))
# Of the systems that a user comes from, on any device and with a data set of the user's.
RECIPES = ("segnet_basic_transfer", "fcn8s_kitti", "deeplab_coco", "fcn8s_wide_kitti")

# A Python for the scripts: says it is 3.10, makes a fake environment, records what pip is asked. Its pip
# brings a source archive and a wheel of Horovod; its Horovod records what it is asked to run.
FAKE_PYTHON = r"""#!/bin/bash
case "$1 $2" in
    "- "*horovod) cat > /dev/null; bin=$(dirname "$0")
        there=$(cat $bin/installed 2> /dev/null || echo none)
        printf '%s\n' ${FAKE_TENSORFLOW:-2.21.0} cp310 $there $bin $0 ;;
    "-c import sys;"*) echo ${FAKE_VERSION:-3.10} ;;
    "-c import importlib"*) echo $FAKE_MISSING ;;
    "-c from importlib"*) echo $FAKE_BRIDGE ;;
    "-m venv") [ "$3" != --system-site-packages ] || { shift; touch "$FAKE_LOG.layers"; }
        mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip") shift 2; echo "$@" >> "$FAKE_LOG"
        case "$*" in *"$FAKE_FAILS"*) echo "no matching distribution"; exit ${FAKE_STATUS:-0} ;; esac
        case "$*" in
            *" -d "*) while [ "$1" != -d ]; do shift; done; cd "$2"
                source=new/horovod-0.28.1/horovod/tensorflow; mkdir -p $source
                printf 'mpi_ops.cc\nxla_mpi_ops.cc\n' > $source/CMakeLists.txt; mkdir -p $source/../common/gloo
                echo 'global_ranks_.reserve(size_);' > $source/../common/gloo/gloo_controller.cc
                tar -czf horovod-0.28.1.tar.gz -C new horovod-0.28.1 ;;
            *" -w "*) while [ "$1" != -w ]; do shift; done; mkdir -p $2; cp $3/horovod/*/*.txt $3/horovod/*/*/*.cc $2/
                env | grep ^HOROVOD_ | sort >> "$FAKE_LOG"; touch $2/horovod.whl ;;
            *horovod.whl) bin=$(dirname "$0"); echo 0.28.1 > $bin/installed
                printf '#!/bin/sh\necho horovodrun $1 $2 $3 >> "$FAKE_LOG"; exit ${FAKE_ADDS:-0}' > $bin/horovodrun
                chmod +x $bin/horovodrun ;;
        esac ;;
    "-m segnet_hpu") echo "pwd $PWD"; echo "ran $*" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the scripts in a project of their own with a fake Python; returns a runner."""
    for name in ("requirements.txt", "setup.py", "run_scripts"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    (tmp_path / "dataset1" / "images_prepped_train").mkdir(parents=True)
    fake = tmp_path / "fakes" / "python3"
    fake.parent.mkdir()
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)

    def run(script, *args, **env):
        kept = {k: v for k, v in os.environ.items()
                if not k.startswith("SEGNET_") and k not in ("VENV", "VIRTUAL_ENV", "PYTHON", "TF_VERSION",
                                                             "NUM_WORKERS", "TORCH_INDEX", "TORCH_VERSION")}
        return subprocess.run([tmp_path / "run_scripts" / script, *args], cwd="/", text=True,
                              capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                              env={**kept, "PATH": f"{fake.parent}:{kept['PATH']}", "FAKE_FAILS": "nothing",
                                   "FAKE_LOG": str(tmp_path / "pip.log"), "XDG_CACHE_HOME": str(tmp_path / "cache"),
                                   **env})

    run.root, run.log, run.python = tmp_path, tmp_path / "pip.log", fake
    return run


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_syntax(script):
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script]).returncode == 0


def test_shellcheck():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", *SCRIPTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("device, tf_version, expected", [
    ("cpu", None, ["install tensorflow-cpu==2.21.* -e ."]),
    ("gpu", None, ["install tensorflow[and-cuda]==2.21.* -e ."]),
    ("cpu", "2.18.1", ["install tensorflow-cpu==2.18.1 -e ."]),
    ("cpu", "2.15.1", ["install tensorflow-cpu==2.15.1 numpy<2 opencv-python-headless<4.12 namex optree rich"
                       " -r requirements.txt", "install --no-deps keras==3.12.4", "install --no-deps -e ."]),
    ("hpu", None, ["install tensorflow-cpu==2.15.0 numpy<2 opencv-python-headless<4.12 namex optree rich"
                   " -r requirements.txt", "install --no-deps keras==3.12.4",
                   "install --no-deps habana-tensorflow==1.14.0.493", "install --no-deps -e ."]),
])
def test_steps(checkout, device, tf_version, expected):
    """The dry run prints the steps and does none; the real run asks pip for exactly these."""
    env = {"TF_VERSION": tf_version} if tf_version else {}
    python = f"{checkout.root}/.venv/bin/python"
    dry = checkout("setup_env.sh", device, SETUP_DRY_RUN="1", **env)
    assert dry.stdout.splitlines()[0] == f"python3 -m venv {checkout.root}/.venv"
    assert [line.removeprefix(f"{python} -m pip ") for line in dry.stdout.splitlines()[2:]] == expected
    assert not checkout.log.exists() and not (checkout.root / ".venv").exists()

    done = checkout("setup_env.sh", device, **env)
    assert (done.returncode, done.stdout) == (0, f"{python}\n"), done.stderr
    asked = [line.split("--no-input ")[1] for line in checkout.log.read_text().splitlines()[1:]]
    assert asked == expected


CPU_INDEX = "install --extra-index-url https://download.pytorch.org/whl/cpu -e .[torch]"
OVER_HABANAS = ["install keras>=3.12.4,<3.16 opencv-python-headless<4.12 -r requirements.txt",
                "install --no-deps -e ."]


@pytest.mark.parametrize("args, env, expected", [
    ("cpu --backend torch", {}, [CPU_INDEX]),
    ("cpu --backend=torch", {"TORCH_INDEX": ""}, ["install -e .[torch]"]),
    ("cpu --backend=torch", {"TORCH_INDEX": "", "TORCH_VERSION": "2.13.0"}, ["install torch==2.13.0 -e .[torch]"]),
    ("cpu", {"SEGNET_BACKEND": "torch"}, [CPU_INDEX]),
    ("gpu --backend torch", {}, ["install -e .[torch]"]),
    ("cpu --backend jax", {}, ["install -e .[jax]"]),
    ("gpu --backend jax", {}, ["install jax[cuda12] -e .[jax]"]),
    ("cpu --backend tensorflow", {}, ["install tensorflow-cpu==2.21.* -e ."]),
    ("hpu", {"FAKE_BRIDGE": "habana_frameworks", "FAKE_VERSION": "3.12"}, OVER_HABANAS),
    ("hpu --backend torch", {"FAKE_BRIDGE": "habana_frameworks"}, OVER_HABANAS),
])
def test_steps_of_a_backend(checkout, args, env, expected):
    python = f"{checkout.root}/.venv/bin/python"
    layers = "--system-site-packages " if expected is OVER_HABANAS else ""
    dry = checkout("setup_env.sh", *args.split(), SETUP_DRY_RUN="1", **env).stdout.splitlines()
    assert dry[0] == f"python3 -m venv {layers}{checkout.root}/.venv"
    steps = [line.removeprefix(f"{python} -m pip ") for line in dry[1:]]
    assert [step for step in steps if not step.startswith("uninstall")] == expected

    done = checkout("setup_env.sh", *args.split(), **env)
    assert (done.returncode, done.stdout) == (0, f"{python}\n"), done.stderr
    asked = [line.split("--no-input ")[1] for line in checkout.log.read_text().splitlines() if "--no-input" in line]
    assert asked == expected and not any("torch" in step for step in asked if layers)  # Habana's is never replaced
    assert (checkout.root / "pip.log.layers").exists() == bool(layers)
    again = checkout("setup_env.sh", *args.split(), **env)
    assert "environment ready" in again.stderr and again.stderr.count("\n") == 1


@pytest.mark.parametrize("driver, backend", [("1.14.0-9e8ecf8", "tensorflow"), ("1.13.0", "tensorflow"),
                                             ("1.24.1-abc", None), ("2.0.0", None)])
def test_gaudis_driver_says_which_backend(checkout, program, driver, backend):
    path = f"{program('hl-smi', f'echo {driver}')}:{checkout.python.parent}:{os.environ['PATH']}"
    done = checkout("setup_env.sh", "hpu", SETUP_DRY_RUN="1", PATH=path)
    if backend:
        assert "habana-tensorflow==1.14.0.493" in done.stdout
    else:
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert "has no TensorFlow" in done.stderr and "habana-torch-plugin" in done.stderr


def test_preset_with_another_backend(checkout):
    """Its workers need no Horovod; of Gaudi's, what is installed decides."""
    for name, flags, env in (("RUNME_CPU_DIST.sh", ["--backend", "torch"], {}),
                             ("RUNME_CPU_DIST.sh", [], {"SEGNET_BACKEND": "torch"}),
                             ("RUNME_HPU_BF16_DIST.sh", [], {"FAKE_BRIDGE": "habana_frameworks",
                                                             "FAKE_TENSORFLOW": "none"})):
        (checkout.python.parent / "hl-smi").write_text("#!/bin/sh\necho 1.24.1")
        (checkout.python.parent / "hl-smi").chmod(0o755)
        done = checkout(name, *flags, **env)
        assert done.returncode == 0 and "ran -m segnet_hpu train --config" in done.stdout, done.stderr
        assert "horovod" not in checkout.log.read_text()


def test_environment_where_the_user_stands(checkout):
    dry = checkout("setup_env.sh", "cpu", SETUP_DRY_RUN="1", VENV="tmp/none")
    assert dry.stdout.splitlines()[0] == "python3 -m venv //tmp/none"  # it was started in /


def test_stamp(checkout):
    first = checkout("setup_env.sh", "hpu")
    assert "making" in first.stderr and "environment ready" in first.stderr
    steps = checkout.log.read_text()
    for device in ("hpu", "cpu"):  # the CPU needs no more than the HPU has
        again = checkout("setup_env.sh", device)
        assert again.stderr.count("\n") == 1 and "environment ready" in again.stderr
        assert again.stdout == first.stdout
    assert checkout.log.read_text() == steps, "a second run asked pip for something"


def test_changed_requirements_install_again(checkout):
    checkout("setup_env.sh", "cpu")
    checkout.log.unlink()
    (checkout.root / "requirements.txt").write_text("numpy>=2\n")
    assert "bringing" in checkout("setup_env.sh", "cpu").stderr
    assert checkout.log.exists()
    checkout.log.unlink()
    checkout("setup_env.sh", "cpu")
    assert not checkout.log.exists(), "installed again without a change"
    checkout("setup_env.sh", "gpu")
    assert checkout.log.read_text().splitlines()[0] == "uninstall -q -y tensorflow-cpu"


def test_failed_step_leaves_no_stamp(checkout):
    failed = checkout("setup_env.sh", "cpu", FAKE_FAILS="2.21", FAKE_STATUS="1")
    assert failed.returncode == 1 and failed.stdout == ""
    assert "no matching distribution" in failed.stderr and "SEGNET_PYTHON" in failed.stderr
    assert checkout("setup_env.sh", "cpu").returncode == 0
    assert checkout.log.read_text().count("tensorflow-cpu==2.21.*") == 2


@pytest.mark.parametrize("args, env, status, words", [
    (["tpu"], {}, 2, "cpu|gpu|hpu"),
    ([], {}, 2, "cpu|gpu|hpu"),
    (["hpu"], {"TF_VERSION": "2.21.0"}, 1, "needs 2.15.0"),
    (["cpu", "--backend", "theano"], {}, 2, "tensorflow|torch|jax"),
    (["cpu", "torch"], {}, 2, "--backend"),
    (["hpu", "--backend", "jax"], {}, 1, "JAX cannot"),
    (["hpu", "--backend", "torch"], {}, 1, "lacks Habana's PyTorch"),
    (["hpu"], {"PYTHON": "python3", "FAKE_VERSION": "3.11"}, 1, "needs Python 3.10"),
    (["cpu"], {"PYTHON": "/no/python"}, 1, "PYTHON=/no/python"),
    (["cpu"], {"PYTHON": "python3", "FAKE_VERSION": "3.14"}, 1, "3.12 or 3.11 or 3.13 or 3.10"),
    (["cpu"], {"PYTHON": "python3", "FAKE_VERSION": "3.13", "TF_VERSION": "2.15.1"}, 1, "3.11 or 3.10"),
    (["cpu"], {"SEGNET_PYTHON": "/no/python"}, 1, "does not run"),
    (["cpu"], {"SEGNET_PYTHON": "python3", "FAKE_MISSING": "cv2"}, 1, "lacks: cv2"),
])
def test_refusals(checkout, args, env, status, words):
    done = checkout("setup_env.sh", *args, **env)
    assert (done.returncode, done.stdout) == (status, "") and words in done.stderr
    assert not checkout.log.exists()


def test_environment_of_another_python(checkout):
    checkout("setup_env.sh", "cpu")
    done = checkout("setup_env.sh", "hpu", FAKE_VERSION="3.11")
    assert done.returncode == 1 and "VENV=" in done.stderr and "3.10" in done.stderr


def test_existing_pythons_are_used_as_they_are(checkout):
    given = checkout("setup_env.sh", "cpu", SEGNET_PYTHON=str(checkout.python))
    assert given.stdout == f"{checkout.python}\n"
    active = checkout.root / "mine"
    subprocess.run([checkout.python, "-m", "venv", active], check=True)
    assert checkout("setup_env.sh", "cpu", VIRTUAL_ENV=str(active)).stdout == f"{active}/bin/python\n"
    assert not checkout.log.exists()
    lacking = checkout("setup_env.sh", "cpu", VIRTUAL_ENV=str(active), FAKE_MISSING="tensorflow")
    assert lacking.stdout == f"{checkout.root}/.venv/bin/python\n"


def test_this_python_has_all_that_the_script_looks_for(checkout):
    """The check of SEGNET_PYTHON against a real Python, not the fake one."""
    assert checkout("setup_env.sh", "cpu", SEGNET_PYTHON=sys.executable).stdout == f"{sys.executable}\n"


def test_preset_runs_train_at_the_root(checkout):
    flags = ("--epochs", "1", "--model_dir", "runs/a b")
    done = checkout("RUNME_CPU.sh", *flags, SEGNET_PYTHON=str(checkout.python))
    command, place, ran = done.stdout.splitlines()
    train = "-m segnet_hpu train --config run_scripts/presets/cpu.yaml --epochs 1 --model_dir"
    assert command == fr"{checkout.python} {train} runs/a\ b "
    assert place == f"pwd {checkout.root}"
    assert ran == f"ran {train} runs/a b"


def test_preset_brings_the_data_set(checkout):
    shutil.rmtree(checkout.root / "dataset1")
    prepare = checkout.root / "data_prepare.sh"
    prepare.write_text("#!/bin/sh\necho prepared with $PYTHON\n")
    prepare.chmod(0o755)
    env = {"SEGNET_PYTHON": str(checkout.python)}
    assert f"prepared with {checkout.python}" in checkout("RUNME_CPU.sh", **env).stdout
    assert "prepared" not in checkout("RUNME_CPU.sh", "--train_images", "mine", **env).stdout
    assert "prepared" not in checkout("RUNME_CPU.sh", SEGNET_TRAIN_IMAGES="mine", **env).stdout


def test_recipe_asks_for_its_data_set_before_it_installs(checkout):
    refused = checkout("RUNME_FCN8S_KITTI.sh")
    assert (refused.returncode, refused.stdout) == (2, "") and refused.stderr.count("\n") == 1
    assert "no folder data/kitti_road; give the one that holds kitti_road" in refused.stderr
    assert "no folder mine;" in checkout("RUNME_FCN8S_KITTI.sh", "--data_root", "mine").stderr
    assert "no folder ours;" in checkout("RUNME_FCN8S_KITTI.sh", SEGNET_DATA_ROOT="ours").stderr
    assert not checkout.log.exists()
    shutil.rmtree(checkout.root / "dataset1")
    place = checkout.root / "a b"
    place.mkdir()
    done = checkout("RUNME_FCN8S_KITTI.sh", f"--data_root={place}", SEGNET_PYTHON=str(checkout.python))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ("ran -m segnet_hpu train --config run_scripts/presets/fcn8s_kitti.yaml "
                                            f"--data_root={place}")


def test_recipe_on_several_devices_installs_horovod(checkout, tools):
    (checkout.root / "coco").mkdir()
    assert "Horovod ready" in checkout("RUNME_DEEPLAB_COCO.sh", "--data_root", "coco", "--distributed").stderr


def test_no_dry_run_sets_up(checkout):
    assert "environment ready" in checkout("RUNME_CPU.sh", SEGNET_DRY_RUN="false").stderr
    assert not checkout("RUNME_CPU.sh", SEGNET_DRY_RUN="true").stderr


def test_preset_help_installs_nothing(checkout):
    assert "ran -m segnet_hpu train --help" in checkout("RUNME_HPU_BF16.sh", "--help").stdout
    assert not checkout.log.exists()


@pytest.mark.parametrize("preset, tool", [("RUNME_GPU_FP32.sh", "nvidia-smi"),
                                          ("RUNME_HPU_FP32.sh", "hl-smi")])
def test_preset_without_device_installs_nothing(checkout, preset, tool):
    broken = checkout.python.parent / tool
    broken.write_text("#!/bin/sh\nexit 9\n")
    broken.chmod(0o755)
    done = checkout(preset)
    assert done.returncode == 2 and tool in done.stderr and "RUNME_CPU.sh" in done.stderr
    assert not checkout.log.exists()


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_preset_settings_are_valid(path):
    settings = config.read(train.Settings, ["--config", str(path)], prog="train", environ={})
    device, *rest = ["auto"] if path.stem in RECIPES else path.stem.split("_")
    data_type = next((word for word in rest if word != "dist"), "fp32")
    assert (settings.train_engine, settings.data_type, settings.distributed) == (device, data_type, "dist" in rest)
    assert settings.model_dir == f"runs/{path.stem}"
    check_workers(settings)


def test_every_preset_has_its_script():
    called = {(ROOT / "run_scripts" / f"RUNME_{path.stem.upper()}.sh") for path in PRESETS}
    assert called == set((ROOT / "run_scripts").glob("RUNME_*.sh"))
    for script in called:
        name = script.stem.removeprefix("RUNME_").lower()
        device = "auto" if name in RECIPES else name.split("_")[0]
        assert f'preset.sh" {device} {name} "$@"' in script.read_text()


# ---- Horovod ---------------------------------------------------------------------------------

BUILD = ("HOROVOD_WITHOUT_MXNET=1", "HOROVOD_WITHOUT_PYTORCH=1", "HOROVOD_WITH_GLOO=1", "HOROVOD_WITH_TENSORFLOW=1")


@pytest.fixture
def tools(checkout):
    """Programs that only say who they are, before all others on PATH; returns a function that makes one."""
    def make(name, text="exit 0"):
        program = checkout.python.parent / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    for name in ("g++", "make", "cmake", "mpicxx", "nvcc"):
        make(name)
    make("mpirun", "exit 127")  # as if it were not there
    return make


MPI = 'case $1 in --version) echo "mpirun (Open MPI) 4.1.4" ;; *) echo mpirun $* >> "$FAKE_LOG" ;; esac'


@pytest.mark.parametrize("device, tensorflow, mpi, options, without_xla", [
    ("cpu", "2.21.0", False, ["HOROVOD_WITHOUT_MPI=1"], True),
    ("cpu", "2.19.1", True, ["HOROVOD_WITH_MPI=1"], True),
    ("cpu", "2.18.1", True, ["HOROVOD_WITH_MPI=1"], False),
    ("cpu", "2.15.1", False, ["HOROVOD_WITHOUT_MPI=1"], False),
    ("gpu", "2.21.0", False, ["HOROVOD_GPU_OPERATIONS=NCCL", "HOROVOD_WITHOUT_MPI=1"], True),
])
def test_horovod_is_built_once(checkout, tools, device, tensorflow, mpi, options, without_xla):
    if mpi:
        tools("mpirun", MPI)
    env = {"SEGNET_PYTHON": str(checkout.python), "FAKE_TENSORFLOW": tensorflow}
    done = checkout("install_horovod.sh", device, **env)
    assert (done.returncode, done.stdout) == (0, f"{checkout.python}\n"), done.stderr
    steps = checkout.log.read_text().splitlines()
    assert [step for step in steps if step.startswith("HOROVOD_")] == sorted([*BUILD, *options])
    [wheel] = (checkout.root / "cache").rglob("*.whl")
    assert tensorflow in wheel.parent.name and ("mpi4.1.4" in wheel.parent.name) == mpi
    sources = (wheel.parent / "CMakeLists.txt").read_text().split()
    assert sources == ["mpi_ops.cc"] if without_xla else ["mpi_ops.cc", "xla_mpi_ops.cc"]
    assert (wheel.parent / "gloo_controller.cc").read_text() == "global_ranks_.resize(size_);\n"
    assert "horovodrun --gloo -np 2" in steps
    assert any(step.startswith("mpirun ") and "-np 2" in step for step in steps) == mpi

    checkout.log.unlink()
    again = checkout("install_horovod.sh", device, **env)
    assert again.stdout == done.stdout and "Horovod ready" in again.stderr.splitlines()[-1]
    assert not checkout.log.exists(), "a second run did something"

    (checkout.python.parent / "installed").unlink()  # another environment finds the wheel
    assert checkout("install_horovod.sh", device, **env).returncode == 0
    assert "download" not in checkout.log.read_text() and "horovod.whl" in checkout.log.read_text()


def test_horovod_is_built_anew_for_another_tensorflow_or_mpi(checkout, tools):
    env = {"SEGNET_PYTHON": str(checkout.python)}
    for change in (dict(FAKE_TENSORFLOW="2.20.0"), dict(FAKE_TENSORFLOW="2.21.0")):
        assert "building" in checkout("install_horovod.sh", "cpu", **env, **change).stderr
    tools("mpirun", MPI)
    assert "building" in checkout("install_horovod.sh", "cpu", **env).stderr
    assert len(list((checkout.root / "cache").rglob("*.whl"))) == 3


@pytest.mark.parametrize("gone, package", [("g++", "g++"), ("cmake", "cmake"), ("make", "make")])
def test_horovod_without_build_tools_says_what_to_install(checkout, tools, gone, package):
    only = checkout.root / "only"
    only.mkdir()
    for name in ("bash", "cat", "dirname", "flock", "grep", "head", "mkdir", "mktemp", "rm", "sed", "sha256sum",
                 "sort", "tail", "uname"):
        (only / name).symlink_to(shutil.which(name))
    (checkout.python.parent / gone).unlink()
    done = checkout("install_horovod.sh", "cpu", SEGNET_PYTHON=str(checkout.python),
                    PATH=f"{checkout.python.parent}:{only}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith(f"apt-get install {package}") and not checkout.log.exists()


def test_horovod_that_cannot_add_is_not_ready(checkout, tools):
    env = {"SEGNET_PYTHON": str(checkout.python)}
    failed = checkout("install_horovod.sh", "cpu", FAKE_ADDS="3", **env)
    assert (failed.returncode, failed.stdout) == (1, "") and "failed: env" in failed.stderr
    assert checkout("install_horovod.sh", "cpu", **env).returncode == 0


def test_horovod_of_habana(checkout, tools):
    """As it is where it is installed; never built without SynapseAI's headers or MPI."""
    env = {"SEGNET_PYTHON": str(checkout.python)}
    assert "there is no mpirun" in checkout("install_horovod.sh", "hpu", **env).stderr
    tools("mpirun", MPI)
    refused = checkout("install_horovod.sh", "hpu", **env)
    if not Path("/usr/include/habanalabs/hccl.h").exists():
        assert refused.returncode == 1 and "install SynapseAI 1.14.0" in refused.stderr and not checkout.log.exists()
    (checkout.python.parent / "installed").write_text("1.14.0.493")
    done = checkout("install_horovod.sh", "hpu", **env)
    assert done.returncode == 0, done.stderr
    steps = checkout.log.read_text()
    assert "download" not in steps and "horovodrun" not in steps and "mpirun --allow-run-as-root" in steps
    dry = checkout("install_horovod.sh", "hpu", SETUP_DRY_RUN="1").stdout
    assert "habana-horovod==1.14.0.493" in dry and "sed" not in dry and "HOROVOD_WITH_MPI=1" in dry


def test_horovod_dry_run(checkout, tools):
    tools("mpirun", MPI)
    dry = checkout("install_horovod.sh", "cpu", SETUP_DRY_RUN="1", TF_VERSION="2.15.1").stdout
    assert "horovod==0.28.1" in dry and "HOROVOD_WITH_MPI=1" in dry and "xla" not in dry
    assert "xla_mpi_ops.cc" in checkout("install_horovod.sh", "cpu", SETUP_DRY_RUN="1").stdout
    assert not checkout.log.exists() and not (checkout.root / "cache").exists()
    assert checkout("install_horovod.sh", "tpu").returncode == 2


def test_dist_preset_installs_horovod(checkout, tools):
    done = checkout("RUNME_CPU_DIST.sh")
    assert done.returncode == 0, done.stderr
    assert "Horovod ready" in done.stderr and "ran -m segnet_hpu train" in done.stdout
    assert "horovodrun" in checkout.log.read_text()
    checkout.log.unlink()
    assert "Horovod" not in checkout("RUNME_CPU_DIST.sh", SEGNET_PYTHON=str(checkout.python)).stderr
    assert not checkout.log.exists(), "installed into a Python that was brought along"


@pytest.mark.parametrize("script", sorted((ROOT / "run_scripts").glob("RUNME_*.sh")), ids=lambda path: path.stem)
def test_dry_run_of_every_preset(checkout, script):
    """On a machine without the device, the data and Horovod: one line, and nothing installed or written."""
    shutil.rmtree(checkout.root / "dataset1")
    before = sorted(checkout.root.rglob("*"))
    done = checkout(script.name, "--dry_run", SEGNET_PYTHON=sys.executable, PYTHONPATH=str(ROOT))
    assert done.returncode == 0 and done.stdout.count("\n") == 1, done.stderr
    words = shlex.split(done.stdout)
    device, *rest = script.stem.removeprefix("RUNME_").split("_")
    device = "AUTO" if script.stem.removeprefix("RUNME_").lower() in RECIPES else device
    launcher = {"CPU": "horovodrun", "GPU": "horovodrun", "HPU": "mpirun"}[device] if "DIST" in rest else None
    names = [Path(word).name for word in words]
    assert [name for name in names if name in ("horovodrun", "mpirun")] == ([launcher] if launcher else [])
    if launcher:
        assert words[words.index("-np") + 1] == ("2" if device == "CPU" else "8")
        assert f"runs/{script.stem.removeprefix('RUNME_').lower()}/logs/1" in words
    start = words.index(sys.executable)
    settings = config.read(train.Settings, words[start + 4:], prog="train", environ={})
    assert settings.train_engine == device.lower() and not settings.dry_run
    assert sorted(checkout.root.rglob("*")) == before


@pytest.mark.parametrize("script", sorted((ROOT / "run_scripts").glob("RUNME_*_DIST.sh")), ids=lambda path: path.stem)
def test_dry_run_of_several_workers_on_torch(checkout, script):
    """On Gaudi that is every release after 1.14."""
    done = checkout(script.name, "--dry_run", "--backend", "torch", SEGNET_PYTHON=sys.executable,
                    PYTHONPATH=str(ROOT))
    assert done.returncode == 0 and done.stdout.count("\n") == 1, done.stderr
    words = shlex.split(done.stdout)
    workers = "2" if "CPU" in script.stem else "8"
    if "HPU" in script.stem:
        assert words[0] == "mpirun" and words[words.index("-np") + 1] == workers
    else:
        start = words.index("torch.distributed.run")
        assert words[start - 2:start] == [sys.executable, "-m"]
        assert words[words.index("--nproc-per-node") + 1] == workers
    flags = words[words.index("train") + 1:]
    assert words[words.index("train") - 2:words.index("train")] == ["-m", "segnet_hpu"] and "--backend=torch" in flags
    assert not [word for word in words if "orovod" in word or "HOROVOD" in word]


def test_dry_run_takes_the_number_of_workers_from_the_environment(checkout):
    env = dict(SEGNET_PYTHON=sys.executable, PYTHONPATH=str(ROOT))
    words = shlex.split(checkout("RUNME_HPU_BF16_DIST.sh", "--dry_run", NUM_WORKERS="4", **env).stdout)
    assert words[words.index("-np") + 1] == "4" and "HABANA_VISIBLE_MODULES=0,1,2,3" in words
    refused = checkout("RUNME_HPU_BF16_DIST.sh", "--dry_run", NUM_WORKERS="3", **env)
    assert (refused.returncode, refused.stdout) == (2, "") and "3 workers on localhost" in refused.stderr
    more = checkout("RUNME_HPU_BF16_DIST.sh", "--dry_run", "--hosts", "a:8,b:8", **env).stdout
    assert " -np 16 -H a:8,b:8 " in more


# ---- Habana's names ----------------------------------------------------------------------------

FOLDERS = ("--train_images=dataset1/images_prepped_train/ --train_annotations=dataset1/annotations_prepped_train/ "
           "--val_images=dataset1/images_prepped_test/ --val_annotations=dataset1/annotations_prepped_test/ ")
NETWORK = "train --n_classes=12 --model_name=vgg_segnet --input_height=320 --input_width=640 "
# As Habana's README and RUNME_*.sh call its demo_segnet.py.
HABANA = {
    "RUNME_CPU": NETWORK + FOLDERS + "--train_engine=cpu --epochs=5 --batch_size=2",
    "RUNME_HPU_BF16": NETWORK + FOLDERS + "--data_type=bf16 --epochs=125 --batch_size=16",
    "RUNME_HPU_BF16_DIST": NETWORK + FOLDERS + "--epochs=125 --data_type=bf16 --distributed --num_workers_per_hls=4 "
                                               "--batch_size=4 --train_engine=hpu",
    "its defaults": NETWORK + FOLDERS + "--hls_type=HLS1 --num_workers_per_hls=1 --kubernetes_run=False",
    "a box": NETWORK + FOLDERS + "--hls_type HLS1",
}


@pytest.mark.parametrize("name", HABANA)
def test_demo_segnet_takes_habanas_flags_as_they_are(name, tmp_path):
    words = [*shlex.split(HABANA[name]), "--dry_run"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("SEGNET_") and k != "NUM_WORKERS"}
    demo, ours = (subprocess.run([sys.executable, *program, *words], cwd=tmp_path, text=True, capture_output=True,
                                 env=env | path)
                  for program, path in (([ROOT / "run_scripts/demo_segnet.py"], {"PYTHONPATH": ""}),
                                        (["-m", "segnet_hpu"], {"PYTHONPATH": str(ROOT)})))
    assert demo.returncode == 0, demo.stderr
    flags, same = (done.stdout.split("-m segnet_hpu train ")[1] for done in (demo, ours))  # the Pythons may differ
    assert flags == same and "--model_name=vgg_segnet" in flags


def test_demo_segnet_ends_as_the_command_does(tmp_path):
    done = subprocess.run([sys.executable, ROOT / "run_scripts/demo_segnet.py", "trian"], cwd=tmp_path, text=True,
                          capture_output=True)
    assert done.returncode == 2 and "unknown command 'trian'. Did you mean train?" in done.stderr


@pytest.mark.parametrize("path", ["README.md", "docs/systems/README.md", "docs/systems/vgg_segnet_gaudi.md"])
def test_pages_name_what_replaces_habanas_scripts(path):
    text = (ROOT / path).read_text()
    assert "run_scripts/demo_segnet.py" in text and "RUNME_" in text
