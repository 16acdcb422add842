"""Settings from defaults, YAML, environment and flags, and back into YAML."""

import os
import random
import sys
from dataclasses import dataclass, fields
from typing import get_args

import pytest

from segnet_hpu import config
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.training.settings import Settings as TrainSettings


def halves(text):
    """an even number"""
    if int(text) % 2:
        raise ValueError("odd")
    return int(text) // 2


@dataclass
class Settings:
    """Some of every kind."""

    name: str = option(REQUIRED, "required")
    config: str | None = option(None, "YAML")
    epochs: int = option(5, "whole", minimum=1, maximum=100)
    rate: float = option(0.1, "number", minimum=0.0)
    validate: bool = option(False, "yes or no")
    limit: int | None = option(None, "whole or none")
    mode: str = option("a", "choice", choices=("a", "b", "none"))
    half: int = option(1, "parsed", parse=halves)


@dataclass
class WithVariable(Settings):
    workers: int = option(1, "workers", variable="NUM_WORKERS")


def read(*argv, environ=None):
    return config.read(Settings, ["--name", "x", *argv], prog="prog", environ=environ or {})


def test_each_source_wins_over_the_one_before(yaml_file):
    path = yaml_file("epochs: 2\nrate: 0.2\nmode: b\n")
    environ = {"SEGNET_EPOCHS": "3", "SEGNET_RATE": "0.3"}
    settings = read("--config", path, "--epochs", "4", environ=environ)
    assert (settings.limit, settings.mode, settings.rate, settings.epochs) == (None, "b", 0.3, 4)


def test_environment_names_the_yaml_file_and_the_flag_wins(yaml_file, tmp_path):
    path = yaml_file("epochs: 2")
    other = tmp_path / "other.yaml"
    other.write_text("epochs: 3")
    assert read(environ={"SEGNET_CONFIG": path}).epochs == 2
    assert read("--config", str(other), environ={"SEGNET_CONFIG": path}).epochs == 3


def test_without_pyyaml_a_file_says_what_to_install(yaml_file, monkeypatch):
    path = yaml_file("epochs: 2")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(UsageError, match="cannot be read without PyYAML; run run_scripts/setup_env.sh"):
        read("--config", path)


def test_required_settings_may_come_from_any_source(yaml_file):
    path = yaml_file("name: y")
    assert config.read(Settings, ["--config", path], prog="p", environ={}).name == "y"
    assert config.read(Settings, [], prog="p", environ={"SEGNET_NAME": "z"}).name == "z"
    with pytest.raises(UsageError, match="^p needs --name; see p --help$"):
        config.read(Settings, [], prog="p", environ={})


@pytest.mark.parametrize("argv, expected", [
    ([], False), (["--validate"], True), (["--validate", "true"], True), (["--validate=false"], False),
    (["--validate", "no"], False), (["--validate", "ON"], True), (["--validate=0"], False),
    (["--validate", "--epochs", "1"], True),
])
def test_bools(argv, expected):
    assert read(*argv).validate is expected


@pytest.mark.parametrize("text, expected", [("true", True), ("'yes'", True), ("1", True), ("off", False)])
def test_bools_of_yaml(yaml_file, text, expected):
    assert read("--config", yaml_file(f"validate: {text}")).validate is expected


def test_none_empties_what_may_be_empty_and_is_text_elsewhere(yaml_file):
    path = yaml_file("limit: 7")
    assert read("--config", path).limit == 7
    assert read("--config", path, "--limit", "None").limit is None
    assert read("--config", yaml_file("limit:")).limit is None
    assert read("--mode", "none").mode == "none"
    with pytest.raises(UsageError, match="epochs is empty; expected a whole number of at least 1 and at most 100"):
        read("--config", yaml_file("epochs:"))


def test_types_are_converted(yaml_file):
    settings = read("--config", yaml_file("epochs: 3.0\nrate: 1\nname: 5\nhalf: 8\n"), "--limit", "2", "--name", "7")
    assert [settings.epochs, settings.rate, settings.name, settings.half, settings.limit] == [3, 1.0, "7", 4, 2]
    assert [type(value) for value in (settings.epochs, settings.rate)] == [int, float]


@pytest.mark.parametrize("argv, message", [
    (["--epochs", "0"], "--epochs is 0; expected a whole number of at least 1 and at most 100"),
    (["--epochs", "101"], "--epochs is 101"),
    (["--rate", "-0.5"], "--rate is -0.5; expected a number of at least 0.0"),
    (["--rate", "inf"], "--rate is 'inf'"),
    (["--half", "3"], r"--half is '3'; expected an even number \(odd\)"),
    (["--mode", "c"], "--mode is 'c'; expected one of a, b, none"),
    (["--epoch", "1"], "unknown flag --epoch. Did you mean --epochs?"),
    (["--zebra"], "unknown flag --zebra. See prog --help"),
    (["b"], "unknown argument b"),
])
def test_refusals(argv, message):
    with pytest.raises(UsageError, match=message):
        read(*argv)


def test_an_empty_yaml_file_sets_nothing(yaml_file):
    assert read("--config", yaml_file("# nothing\n")).epochs == 5


def test_yaml_round_trip(yaml_file):
    argv = ["--model_name", "vgg_segnet", "--n_classes", "3", "--train_images", "images: of, 2024",
            "--train_annotations", "no", "--class_weights", "0.5,1,2", "--learning_rate", "1e-5",
            "--class_names", "a,b,c", "--validate", "--clipnorm", "1"]
    before = config.read(TrainSettings, argv, prog="p", environ={})
    path = yaml_file(config.to_yaml(before))
    after = config.read(TrainSettings, ["--config", path], prog="p", environ={})
    assert before.loss.options["class_weights"] == [0.5, 1.0, 2.0] and before.train_annotations == "no"
    different = [f.name for f in fields(TrainSettings) if getattr(before, f.name) != getattr(after, f.name)]
    assert different == ["config"]


# Values of the settings that are parsed by a function of their own.
PARSED = {
    "loss": ["ce", {"name": "ce", "class_weights": "median_frequency"},
             {"name": "dice", "class_weights": [0.25, 1.0, 3.7], "smooth": 0.3}],
    "optimizer_name": ["adam", {"name": "sgd", "momentum": 0.5}],
    "lr_schedule": ["poly", {"name": "step", "step_at": [0.1, 0.75]}],
    "augmentation_name": ["flip", "strong,scale=0.5:2", {"name": "standard", "rotate": 5}],
    "val_metrics": [["boundary", "road"], ["road"], ["boundary", {"name": "road", "positive_class": "a=b"}]],
    "palette": ["camvid", "804080,00FF00"],
    "model_options": ["width=64", "skip_scale=at_once,dropout=0.5"],
    "model_name": ["vgg_segnet", "xception_unet"],
}


def test_flags_round_trip(monkeypatch):
    """Settings of every kind, drawn at random, come back from their flags, also against YAML and variables."""
    monkeypatch.setenv("KERAS_BACKEND", os.environ["KERAS_BACKEND"])  # which --backend sets
    draw = random.Random(0)
    texts = ["a b", "", "-x", "--epochs", "a=b", "x,y", "Straße", "'", "5"]
    for _ in range(200):
        values = {}
        for field in fields(TrainSettings):
            optional, meta = type(None) in get_args(field.type), field.metadata["option"]
            kind = next(t for t in (get_args(field.type) or [field.type]) if t is not type(None))
            if field.name in ("config", "print_config") or (field.default is not REQUIRED and draw.random() < 0.5):
                continue
            low, high = meta.minimum or meta.above or 0, meta.maximum or meta.below or 1000
            values[field.name] = {bool: draw.random() < 0.5, int: draw.randint(int(low), int(high)),
                                  float: draw.uniform(low, high), str: draw.choice(texts)}.get(kind)
            if meta.choices:
                values[field.name] = draw.choice(meta.choices)
            if field.name in PARSED:
                values[field.name] = draw.choice(PARSED[field.name])
            if optional and draw.random() < 0.2:
                values[field.name] = None
        before = config.from_values(TrainSettings, **values)
        environ = {f"SEGNET_{name.upper()}": "none" for name in ("steps_per_epoch", "ema", "loss_smooth")}
        environ |= {"SEGNET_EPOCHS": "77", "NUM_WORKERS": "3"} if draw.random() < 0.5 else {}
        flags = config.to_flags(before, environ)
        assert config.read(TrainSettings, flags, prog="p", environ=environ) == before


def test_flags_leave_defaults_out():
    settings = config.from_values(Settings, name="x", epochs=7, validate=True, limit=None)
    assert config.to_flags(settings, {}) == ["--name=x", "--epochs=7", "--validate=true"]
    assert "--rate=0.1" in config.to_flags(settings, {"SEGNET_RATE": "3"})
    assert len(config.to_flags(settings, {"SEGNET_CONFIG": "c.yaml"})) == len(fields(Settings)) - 1


def test_variable_that_others_know(yaml_file):
    def number(environ, *argv):
        argv = ["--config", yaml_file("name: x\nworkers: 2"), *argv]
        return config.read(WithVariable, argv, prog="p", environ=environ).workers
    assert number({}) == 2 and number({"NUM_WORKERS": "4"}) == 4
    assert number({"NUM_WORKERS": "4", "SEGNET_WORKERS": "5"}) == 5
    assert number({"NUM_WORKERS": "4"}, "--workers", "6") == 6
    with pytest.raises(UsageError, match="NUM_WORKERS is 'x'; expected a whole number"):
        number({"NUM_WORKERS": "x"})


def test_from_values_checks_as_yaml_does():
    assert config.from_values(Settings, name="x", epochs="3", limit=None).epochs == 3
    for values, message in (({"name": "x", "epoch": 3}, "unknown setting 'epoch'. Did you mean epochs?"),
                            ({"name": "x", "epochs": 0}, "epochs is 0"),
                            ({"name": None}, "name is empty"),
                            ({"epochs": 3}, "missing setting: name")):
        with pytest.raises(UsageError, match=message):
            config.from_values(Settings, **values)


def test_a_word_in_place_of_a_number(yaml_file):
    given = {"model_name": "vgg_segnet", "n_classes": 2, "train_images": "a", "train_annotations": "b"}
    settings = config.from_values(TrainSettings, **given, epochs="auto", batch_size="auto")
    assert (settings.epochs, settings.batch_size) == ("auto", 4)
    again = config.read(TrainSettings, ["--config", yaml_file(config.to_yaml(settings))], prog="p", environ={})
    assert (again.epochs, again.batch_size) == ("auto", 4) and "--epochs=auto" in config.to_flags(again, {})
    with pytest.raises(UsageError, match="val_batch_size is 'auto'; expected a whole number of at least 1$"):
        config.from_values(TrainSettings, **given, val_batch_size="auto")


def test_help_tells_defaults_choices_and_what_is_required(capsys):
    with pytest.raises(SystemExit) as stopped:
        config.read(Settings, ["--help"], prog="p", environ={})
    text = " ".join(capsys.readouterr().out.split())
    assert stopped.value.code == 0 and "Some of every kind." in text
    assert "required (required)" in text and "choice {a,b,none} (default: a)" in text
    assert "yes or no (default: false)" in text


@pytest.mark.parametrize("name, known, hint", [
    ("trian", ["train", "predict"], " Did you mean train?"), ("xyz", ["train", "predict"], ""),
    (3, [1, 2], ""), ("--epochs", ["--batch_size"], ""),
    ("--epcohs", ["--rate", "--epochs"], " Did you mean --epochs?"), ("a", [], ""),
])
def test_nearest(name, known, hint):
    assert nearest(name, known) == hint
