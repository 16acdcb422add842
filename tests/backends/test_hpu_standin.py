"""PyTorch on Gaudi, with the stand-in of tests/hpu_standin for the card: what the card would be asked to compute."""

import csv
import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.registry import MODELS
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.optimizers import optimizers
from toy import write_toy

ROOT = Path(__file__).resolve().parents[2]
STANDIN = ROOT / "tests" / "hpu_standin"
slow = pytest.mark.skipif(not os.environ.get("SEGNET_TEST_ALL"), reason="SEGNET_TEST_ALL=1 trains every network")

# One network for each kind of layer, and all others.
SAMPLE = ("unet_mini", "enet", "bayesian_segnet_basic", "fcn_8", "mobilenet_v2_deeplabv3plus", "resnet18_linknet")
REST = sorted({*MODELS, *(f"{encoder}_linknet" for encoder in encoders.names())} - {*SAMPLE})
# The bridge keeps int64 as int32. Indices are int64 by PyTorch's own rule: those of a largest value, of an order, and
# Keras' `take`, by which the Lovasz loss follows that order.
INDICES = {"max_pool2d_with_indices", "max_pool2d_with_indices_backward", "argmax", "topk", "sort.stable",
           "index_select"}
TAKE = {"add.Tensor", "lt.Scalar", "where.self"}

TRAIN = ["train", "--model_name", "unet_mini", "--n_classes", 3, "--input_height", 32, "--input_width", 48,
         "--batch_size", 2, "--data_type", "bf16", "--ema", 0.9, "--loss", "ce_lovasz", "--do_augment", "--validate",
         "--val_pictures", 0, "--auto_resume_checkpoint", "--model_dir", "run"]

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None or shutil.which("g++") is None,
                                 reason="the stand-in needs PyTorch and g++")


def train(device, cases, **env):
    """Train each case two steps on a device, in a process of its own; return what came of it."""
    done = subprocess.run([sys.executable, str(STANDIN / "steps.py"), device, json.dumps(cases)], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{STANDIN}", **env})
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def case(model, **settings):
    """A network at a small size that it takes."""
    sizes = {"pspnet_50": [41, 89], "pspnet_101": [41, 89]}
    size = sizes.get(model, [192, 192] if "pspnet" in model else [32, 64])
    return {"model": model, "size": size, "options": {"width": 16} if "fcn" in model else {}, **settings}


def assert_of_the_bridge(calls, indices=INDICES):
    """Assert that all that was called is in the bridge's list, with numbers of types that the card has."""
    assert sum(calls.values()) > 100
    for key in calls:
        name, *types = key.removeprefix("aten::").split()
        assert name != "unlisted" and "Double" not in types, key
        assert "Long" not in types or name in indices, key  # nor is any copied


def assert_trained(results):
    for result in results:
        before, after = result["weights"]
        assert all(map(math.isfinite, [*result["losses"], after])) and before != after, result


def both_types(cases):
    return [{**one, "data_type": data_type} for one in cases for data_type in ("fp32", "bf16")]


@pytest.fixture(scope="module")
def on_card():
    """What came of the sample, of every loss and of every optimizer, all of one process."""
    tiny = {"model": "unet_mini", "size": [32, 32]}
    by_loss = [{**tiny, "loss": name} for name in losses.names()]
    by_optimizer = [{**tiny, "optimizer": name} for name in optimizers.names()]
    return train("hpu", [*both_types(map(case, SAMPLE)), *both_types(by_loss), *by_optimizer])


def those_with(results, key):
    return [result for result in results if key in result]


@needs_torch
def test_networks_train_by_the_operators_of_the_bridge(on_card):
    results = on_card[:2 * len(SAMPLE)]
    assert_trained(results)
    for result in results:
        assert_of_the_bridge(result["calls"])
        convolutions = [key.split()[1:] for key in result["calls"] if key.startswith("aten::convolution ")]
        assert convolutions == [["BFloat16" if result["data_type"] == "bf16" else "Float"]]


@needs_torch
@slow
@pytest.mark.parametrize("model", REST)
def test_every_network(model):
    results = train("hpu", both_types([case(model)]))
    assert_trained(results)
    for result in results:
        assert_of_the_bridge(result["calls"])


@needs_torch
def test_every_loss_by_the_operators_of_the_bridge(on_card):
    results = those_with(on_card, "loss")
    assert_trained(results)
    assert {(one["loss"], one["data_type"]) for one in results} == {
        (loss, data_type) for loss in losses.names() for data_type in ("fp32", "bf16")}
    for result in results:
        assert_of_the_bridge(result["calls"], INDICES | TAKE if "lovasz" in result["loss"] else INDICES)


@needs_torch
def test_every_optimizer_by_the_operators_of_the_bridge(on_card):
    results = those_with(on_card, "optimizer")
    assert tuple(result["optimizer"] for result in results) == optimizers.names()
    for result in results:
        assert result["weights"][0] != result["weights"][1]
        assert_of_the_bridge(result["calls"])


@needs_torch
def test_without_a_generator_numbers_are_those_of_the_host(on_card):
    drops = [case(model, data_type="fp32") for model in ("unet_mini", "bayesian_segnet_basic")]
    there = [one for one in on_card[:2 * len(SAMPLE)] if any(wanted.items() <= one.items() for wanted in drops)]
    for one, other in zip(there, train("cpu", drops), strict=True):
        assert one["model"] == other["model"]
        assert one["weights"][0] == other["weights"][0]  # initializers
        assert one["losses"] == pytest.approx(other["losses"], rel=1e-5)  # dropout
        assert one["weights"] == pytest.approx(other["weights"], rel=1e-6)
        assert not any("normal_" in key or "bernoulli" in key for key in one["calls"])


@needs_torch
def test_with_a_generator_numbers_are_drawn_on_the_card():
    drawn, = train("hpu", [case("unet_mini")], HPU_STANDIN_GENERATOR="1")
    assert any("bernoulli" in key for key in drawn["calls"])
    assert_of_the_bridge(drawn["calls"], INDICES | {"copy"})  # the seeds of the generator


MIXED = """
import json
import habana_frameworks.torch
import torch
there = torch.ones(2, device="hpu")
try:
    there + torch.ones(2)
    refused = False
except RuntimeError as error:
    refused = str(error)
print(json.dumps([there.device.type, refused, (there + 1).sum().item(), (there + torch.tensor(1.0)).tolist()]))
"""


@needs_torch
def test_the_stand_in_keeps_its_tensors_apart(python):
    device, refused, total, with_number = python(MIXED, path=(ROOT, STANDIN))
    assert device == "hpu" and "a tensor of the cpu" in refused
    assert total == 4 and with_number == [2, 2]


@needs_torch
def test_names_are_those_of_the_bridge():
    from segnet_hpu.runtime.gaudi.torch import HPU_API

    real = yaml.safe_load((STANDIN / "names.yaml").read_text())
    for module, names in HPU_API.items():
        assert set(names) <= set(real[module])
    source = (STANDIN / "habana_frameworks/torch/hpu.py").read_text()
    of_stand_in = set(re.findall(r"^def ([a-z]\w*)", source, re.MULTILINE))
    hpu = "habana_frameworks.torch.hpu"
    assert of_stand_in and of_stand_in <= {*real[hpu], *real[f"{hpu}.random"]}


class Run:
    """A folder with toy data, in which commands run on the stand-in."""

    def __init__(self, folder, path):
        self.folder = folder
        images, labels = write_toy(folder / "train", 6)
        self.images, self.labels = write_toy(folder / "val", 3, seed=1)
        self.env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{STANDIN}", "PATH": path,
                    "HPU_STANDIN_LOG": str(folder / "calls.jsonl")}
        self.training = [*TRAIN, "--train_images", images, "--train_annotations", labels, "--val_images", self.images,
                         "--val_annotations", self.labels]

    def command(self, name, *flags):
        """Run a command that must succeed; return what it printed and what was called on the stand-in."""
        log = self.folder / "calls.jsonl"
        log.unlink(missing_ok=True)
        command = ["-m", "segnet_hpu", name, "--backend", "torch", "--train_engine", "hpu", *map(str, flags)]
        done = subprocess.run([sys.executable, *command], cwd=self.folder, text=True, capture_output=True,
                              env=self.env, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr, json.loads(log.read_text()) if log.exists() else {}


@needs_torch
def test_commands(tmp_path, program):
    run = Run(tmp_path, f"{program('hl-smi', 'echo HL-225, 1.24.1')}:{os.environ['PATH']}")
    printed, calls = run.command(*run.training, "--epochs", 1)
    assert "HL-225, driver 1.24.1" in printed
    assert_of_the_bridge(calls, INDICES | TAKE)
    printed, calls = run.command(*run.training, "--epochs", 2)
    assert "going on at step 3 (epoch 2)" in printed
    assert_of_the_bridge(calls, INDICES | TAKE)
    with open(tmp_path / "run/metrics.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]

    of_run = ("--checkpoints_path", "run")
    _, calls = run.command("evaluate_model", *of_run, "--images_path", run.images, "--segs_path", run.labels,
                           "--json", "scores.json")
    assert_of_the_bridge(calls)
    scores, own = (json.loads((tmp_path / name).read_text()) for name in ("scores.json", "run/evaluation.json"))
    assert scores["mean_iou"] == pytest.approx(own["mean_iou"], rel=1e-6) and own["mean_iou"] > 0
    _, calls = run.command("predict", *of_run, "--input_path", run.images, "--output_path", "out")
    assert_of_the_bridge(calls)
    assert len(list((tmp_path / "out").iterdir())) == 3
