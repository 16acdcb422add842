"""Options of components: nested in YAML, dotted as flags, and by the flat names that they had before."""

import sys
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest
import yaml

from segnet_hpu import config
from segnet_hpu.components import Choice, Option, Registry
from segnet_hpu.config import component, option
from segnet_hpu.errors import UsageError
from segnet_hpu.training.settings import Settings

NEEDED = ["--model_name", "unet_mini", "--n_classes", "2", "--train_images", "a", "--train_annotations", "b"]
PYTHON = dict(model_name="unet_mini", n_classes=2, train_images="a", train_annotations="b")
EXPECTED = {"loss": Choice("dice", {"smooth": 2.0, "squared": True}),
            "optimizer_name": Choice("sgd", {"momentum": 0.5}),
            "lr_schedule": Choice("step", {"step_at": [0.2, 0.4]}),
            "augmentation_name": Choice("standard", {"scale": (0.5, 2.0), "rotate": 5.0}),
            "val_metrics": [Choice("boundary"), Choice("road", {"positive_class": "1"})]}


def read(*argv, environ=None):
    return config.read(Settings, [*NEEDED, *argv], prog="prog", environ=environ or {})


def assert_expected(settings):
    assert {name: getattr(settings, name) for name in EXPECTED} == EXPECTED


FLAGS = {
    "dotted": "--loss dice --loss.smooth 2 --loss.squared --optimizer_name sgd --optimizer_name.momentum=0.5 "
              "--lr_schedule step --lr_schedule.step_at 0.2,0.4 --val_metrics boundary,road "
              "--augmentation_name standard --augmentation_name.rotate 5 --augmentation_name.scale 0.5:2 "
              "--val_metrics.positive_class 1",
    "flat": "--loss dice --loss_smooth 2 --dice_squared --optimizer_name sgd --momentum 0.5 --lr_schedule step "
            "--step_at 0.2,0.4 --augmentation_name standard,rotate=5,scale=0.5:2 --val_metrics boundary,road "
            "--positive_class 1",
}
YAML = {
    "nested": """
        loss: {name: dice, smooth: 2, squared: true}
        optimizer_name: {name: sgd, momentum: 0.5}
        lr_schedule: {name: step, step_at: [0.2, 0.4]}
        augmentation_name: {name: standard, rotate: 5, scale: [0.5, 2]}
        val_metrics: [boundary, {name: road, positive_class: 1}]""",
    "dotted": """
        loss: dice
        loss.smooth: 2
        loss.squared: true
        optimizer_name: sgd
        optimizer_name.momentum: 0.5
        lr_schedule: step
        lr_schedule.step_at: [0.2, 0.4]
        augmentation_name: standard,rotate=5
        augmentation_name.scale: [0.5, 2]
        val_metrics: [boundary, road]
        val_metrics.positive_class: 1""",
    "flat": """
        loss: dice
        loss_smooth: 2
        dice_squared: true
        optimizer_name: sgd
        momentum: 0.5
        lr_schedule: step
        step_at: [0.2, 0.4]
        augmentation_name: standard,rotate=5,scale=0.5:2
        val_metrics: [boundary, road]
        positive_class: 1
        # what a file of every setting held for the losses and schedules that were not chosen
        class_weights: none
        label_smoothing: 0.0
        focal_gamma: null
        ohem_keep:
        poly_power: null""",
}


@pytest.mark.parametrize("argv", FLAGS.values(), ids=FLAGS)
def test_flags(argv):
    assert_expected(read(*argv.split()))


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_yaml(text, yaml_file):
    assert_expected(read("--config", yaml_file(text)))


@pytest.mark.parametrize("flags", ["road", "road,boundary", "boundary,road"])
def test_a_list_named_anew_keeps_the_options_of_what_it_names_again(flags, yaml_file):
    path = yaml_file("val_metrics: [boundary, {name: road, positive_class: 1}]")
    found = read("--config", path, "--val_metrics", flags).val_metrics
    options = {"boundary": {}, "road": {"positive_class": "1"}}
    assert found == [Choice(name, options[name]) for name in flags.split(",")]
    assert read("--config", path, "--val_metrics", "boundary").val_metrics == [Choice("boundary")]


def test_python_takes_what_yaml_takes():
    for text in YAML.values():
        assert_expected(config.from_values(Settings, **PYTHON, **yaml.safe_load(text)))


def test_python_gives_numpys_arrays_and_numbers():
    weights, scale = np.array([0.5, 1, 2], np.float32), np.array([0.5, 2])
    made = config.from_values(Settings, **PYTHON, class_weights=weights, epochs=np.int64(3), momentum=np.float64(0.5),
                              optimizer_name="sgd", augmentation_name={"name": "standard", "scale": scale})
    assert made.loss.options["class_weights"] == [0.5, 1, 2] and made.epochs == 3
    assert made.augmentation_name.options["scale"] == (0.5, 2.0)
    for wrong in (np.float32(2.5), np.array([1, 2])):
        with pytest.raises(UsageError, match="epochs is .*; expected a whole number"):
            config.from_values(Settings, **PYTHON, epochs=wrong)


def test_components_by_name_in_python():
    settings = Settings(model_name="unet_mini", loss="dice", val_metrics=["boundary"], optimizer_name={
        "name": "sgd", "momentum": 0.5})
    assert (settings.loss, settings.val_metrics, settings.optimizer_name) == (
        Choice("dice"), [Choice("boundary")], Choice("sgd", {"momentum": 0.5}))


def test_variables():
    environ = {"SEGNET_LOSS": "dice", "SEGNET_LOSS_SMOOTH": "2", "SEGNET_DICE_SQUARED": "true",
               "SEGNET_MOMENTUM": "0.5", "SEGNET_OPTIMIZER_NAME": "sgd", "SEGNET_LR_SCHEDULE": "step",
               "SEGNET_AUGMENTATION_NAME": "standard,rotate=5", "SEGNET_AUGMENTATION_NAME_SCALE": "0.5:2",
               "SEGNET_LR_SCHEDULE_STEP_AT": "0.2,0.4", "SEGNET_VAL_METRICS": "boundary,road",
               "SEGNET_VAL_METRICS_POSITIVE_CLASS": "1"}
    assert_expected(read(environ=environ))


def test_a_flat_flag_at_its_default_goes_with_every_component():
    assert read("--momentum", "0.9", "--dice_squared", "false", "--loss_smooth", "none") == read()
    assert read("--momentum", "0.9", "--label_smoothing", "0", "--loss", "dice") == read("--loss", "dice")
    # Those that were not set by default have always been refused.
    for flags in ("--loss_smooth 1", "--poly_power 0.9", "--focal_gamma 2", "--step_gamma 0.1", "--final_rate 0"):
        with pytest.raises(UsageError, match=f"{flags.split()[0]} does not go with --l"):
            read(*flags.split())
    with pytest.raises(UsageError, match=r"--optimizer_name\.momentum does not go with --optimizer_name adam"):
        read("--optimizer_name.momentum", "0.9")


def test_a_run_is_written_nested_and_read_back_equal(yaml_file):
    settings = read(*FLAGS["flat"].split())
    written = yaml.safe_load(config.to_yaml(settings))
    assert written["loss"] == {"name": "dice", "smooth": 2.0, "squared": True}
    assert written["val_metrics"] == ["boundary", {"name": "road", "positive_class": "1"}]
    assert not {"loss_smooth", "momentum", "positive_class"} & written.keys()
    again = config.read(Settings, ["--config", yaml_file(config.to_yaml(settings))], prog="p", environ={})
    assert_expected(again)


def test_an_augmentation_named_anew_keeps_its_changes(yaml_file):
    for text in ("standard,rotate=5", "{name: standard, rotate: 5}"):
        path = yaml_file(f"augmentation_name: {text}")
        named = [read("--config", path, "--augmentation_name", name).augmentation_name
                 for name in ("standard", "flip")]
        assert named == [Choice("standard", {"rotate": 5.0}), Choice("flip")]


def test_what_a_list_of_components_cannot_hold_is_told_what_it_may_be():
    with pytest.raises(UsageError, match="or MODULE:NAME, or a class or function .*'5' is unknown"):
        config.from_values(Settings, **PYTHON, val_metrics=[5])


def test_later_sources_win(yaml_file):
    path = yaml_file("loss: {name: dice, smooth: 2}\nepochs: 3")
    assert read("--config", path, "--loss.smooth", "3").loss == Choice("dice", {"smooth": 3.0})
    assert read("--config", path, "--loss", "dice").loss == Choice("dice", {"smooth": 2.0})
    assert read("--config", path, "--loss.smooth", "none").loss == Choice("dice")
    # The options of a mapping are of its component: another one leaves them behind.
    assert read("--config", path, "--loss", "focal", "--loss.gamma", "1").loss == Choice("focal", {"gamma": 1.0})


@pytest.mark.parametrize("text", [
    "loss: {name: dice, smooth: 2}\noptimizer_name: {name: sgd, momentum: 0.5}\n"
    "val_metrics: [boundary, {name: road, positive_class: 1}]",
    "loss: dice\nloss_smooth: 2\noptimizer_name: sgd\nmomentum: 0.5\nval_metrics: boundary,road\npositive_class: 1",
    "loss: dice\nloss.smooth: 2\noptimizer_name: sgd\noptimizer_name.momentum: 0.5\nval_metrics: boundary,road\n"
    "val_metrics.positive_class: 1",
], ids=["nested", "flat", "dotted"])
def test_another_component_leaves_the_options_of_a_file_behind(text, yaml_file):
    path = yaml_file(text)
    settings = read("--config", path, "--loss", "ce", "--val_metrics", "boundary",
                    environ={"SEGNET_OPTIMIZER_NAME": "adam"})
    assert (settings.loss, settings.optimizer_name, settings.val_metrics) == (
        Choice("ce"), Choice("adam"), [Choice("boundary")])
    assert read("--config", path, "--loss", "ce_dice").loss == Choice("ce_dice")
    assert read("--config", path, "--loss", "dice").loss == Choice("dice", {"smooth": 2.0})
    with pytest.raises(UsageError, match="^--loss_smooth does not go with --loss ce"):
        read("--config", path, "--loss", "ce", "--loss_smooth", "2")


def test_a_refused_option_is_named_as_it_was_given():
    with pytest.raises(UsageError, match="^SEGNET_LOSS_SMOOTH does not go with --loss ce; .*leave SEGNET_LOSS_S"):
        read(environ={"SEGNET_LOSS_SMOOTH": "2"})
    with pytest.raises(UsageError, match=r"--loss is 'dice:'; expected one of ce.*Did you mean dice\?"):
        read("--loss", "dice:")


def test_flags_of_workers_undo_what_the_environment_says():
    settings = read("--loss", "dice")
    environ = {"SEGNET_LOSS_SMOOTH": "3", "SEGNET_LOSS": "ce", "SEGNET_MOMENTUM": "0.1"}
    flags = config.to_flags(settings, environ)
    assert config.read(Settings, flags, prog="p", environ=environ) == settings


@pytest.mark.parametrize("argv, words", [
    ("--loss.smooth 2", "--loss.smooth does not go with --loss ce; expected --loss dice, ce_dice, or leave"),
    ("--loss dice --loss.smoth 2", r"--loss.smoth: loss dice takes no smoth. Did you mean smooth\?"),
    ("--loss dice --loss.smooth -1", "--loss.smooth is -1.0; expected a number of at least 0"),
    ("--epochs.smooth 2", "unknown flag --epochs.smooth"),
    ("--val_metrics boundary --positive_class 1", "--positive_class 1 is for the scores of road"),
])
def test_refused_flags(argv, words):
    with pytest.raises(UsageError, match=words):
        read(*argv.split())


@pytest.mark.parametrize("text, words", [
    ("loss: {name: ce, smooth: 2}", "c.yaml: loss: loss ce takes no smooth; use dice, ce_dice, or leave it out"),
    ("loss: {name: dice, smooth: -1}", "c.yaml: loss.smooth is -1.0"),
    ("loss: {smooth: 2}", "c.yaml: loss is {'smooth': 2}; expected a name"),
    ("loss: dice\nloss_smoth: 2", r"unknown setting 'loss_smoth'. Did you mean loss_smooth\?"),
    ("loss_smooth: 2", "c.yaml: loss_smooth does not go with --loss ce; expected --loss dice, ce_dice, or leave it"),
    ("val_metrics: [boundary, the Python object x]", "'the Python object x' is unknown. It was an object in Python"),
])
def test_refused_files(text, words, yaml_file):
    with pytest.raises(UsageError, match=words):
        read("--config", yaml_file(text))


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "losses_of_mine.py").write_text("""
from typing import Annotated
from segnet_hpu.components import Option

class Power:
    def __init__(self, *, power: Annotated[float, Option("the power", above=0)] = 2.0):
        self.power = power

    def __call__(self, labels, logits):
        return 0.0
""")
    monkeypatch.chdir(tmp_path)
    yield "losses_of_mine:Power"
    sys.modules.pop("losses_of_mine", None)


def test_a_component_of_the_users_own_has_flags_too(own, yaml_file):
    settings = read("--loss", own, "--loss.power", "3")
    assert settings.loss == Choice(own, {"power": 3.0})
    assert read("--config", yaml_file(config.to_yaml(settings))).loss == settings.loss
    assert config.read(Settings, config.to_flags(settings, {}), prog="p", environ={}) == settings
    with pytest.raises(UsageError, match="--loss.power is 0.0; expected a number above 0"):
        read("--loss", own, "--loss.power", "0")
    with pytest.raises(UsageError, match=r"loss losses_of_mine:Power takes no pover. Did you mean power\?"):
        read("--loss", own, "--loss.pover", "3")


def test_a_component_of_the_users_own_has_variables_too(own, yaml_file):
    cubed = Choice(own, {"power": 3.0})
    assert read("--loss", own, environ={"SEGNET_LOSS_POWER": "3"}).loss == cubed
    assert read(environ={"SEGNET_LOSS": own, "SEGNET_LOSS_POWER": "3"}).loss == cubed
    file = yaml_file(f"loss: {{name: {own}, power: 2}}")
    assert read("--config", file, environ={"SEGNET_LOSS_POWER": "3"}).loss == cubed
    assert read("--config", file, "--loss.power", "3", environ={"SEGNET_LOSS_POWER": "1"}).loss == cubed
    assert read("--config", file, "--loss", "dice", environ={"SEGNET_LOSS_POWER": "1"}).loss == Choice("dice")
    with pytest.raises(UsageError, match="SEGNET_LOSS_POWER is '0'; expected|SEGNET_LOSS_POWER is 0.0; expected"):
        read("--loss", own, environ={"SEGNET_LOSS_POWER": "0"})


OWN = """
from typing import Annotated
from segnet_hpu.components import Option

class Loss:
    def __init__(self, *, gamma: Annotated[float, Option("the power")] = 5.0,
                 smooth: Annotated[int | str, Option("how", choices=("none", "much"), parse=str)] = "much",
                 undeclared=1):
        self.gamma = gamma

    def __call__(self, labels, logits):
        return 0.0
"""


@pytest.fixture
def same_names(tmp_path, monkeypatch):
    (tmp_path / "same_names_of_mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    yield "same_names_of_mine:Loss"
    sys.modules.pop("same_names_of_mine", None)


def test_a_value_that_is_another_components_default_is_set(yaml_file, same_names):
    def flip(*argv, **environ):
        return read(*argv, environ=environ).augmentation_name

    still = Choice("standard", {"flip": 0.0})
    assert flip(SEGNET_AUGMENTATION_NAME_FLIP="0") == flip("--augmentation_name.flip", "0") == still
    assert flip("--config", yaml_file("augmentation_name: standard\naugmentation_name.flip: 0")) == still
    mine = Choice(same_names, {"gamma": 2.0})
    assert read("--loss", same_names, "--focal_gamma", "2").loss == mine
    assert read("--loss", same_names, environ={"SEGNET_LOSS_GAMMA": "2"}).loss == mine
    assert read("--config", yaml_file(f"loss: {same_names}\nloss.gamma: 2")).loss == mine
    assert read("--config", yaml_file(f"loss: {same_names}\nfocal_gamma: 2")).loss == mine


def test_an_own_components_option_is_of_its_own_type(same_names):
    assert read("--loss", same_names, "--loss_smooth", "none").loss == Choice(same_names, {"smooth": "none"})
    with pytest.raises(UsageError, match="--loss.smooth is '2'; expected one of none, much"):
        read("--loss", same_names, "--loss.smooth", "2")
    declare = r"loss same_names_of_mine:Loss takes no undeclared, which is no option yet; declare it .*Option\("
    with pytest.raises(UsageError, match=f"^--loss.undeclared: {declare}"):
        read("--loss", same_names, "--loss.undeclared", "2")
    with pytest.raises(UsageError, match=f"^{declare}"):
        config.from_values(Settings, loss={"name": same_names, "undeclared": 2})


def test_a_python_object_is_named_where_it_cannot_be_written(yaml_file):
    def mine(labels, logits):
        return 0.0

    settings = config.from_values(Settings, model_name="unet_mini", n_classes=2, train_images="a",
                                  train_annotations="b", loss=mine, val_metrics=["boundary"])
    text = config.to_yaml(settings)
    assert settings.loss == Choice(mine)
    assert text.startswith("# loss was a Python object, which cannot be written here: give it again.\n")
    with pytest.raises(UsageError, match="c.yaml: loss is 'the Python object mine'; expected one of ce.*give it"):
        read("--config", yaml_file(text))


def test_help_lists_options_with_their_component(capsys):
    @dataclass
    class Small:
        """Small."""

        limit: int | None = option(None, "at most so many")
        shape: Choice = component(shapes, "circle", "which shape")

    with pytest.raises(SystemExit):
        config.read(Small, ["--help"], prog="p", environ={})
    text = " ".join(capsys.readouterr().out.split())
    assert "--shape SHAPE which shape: circle, square, dot, or MODULE:NAME (default: circle)" in text
    assert "--shape.radius RADIUS of circle, square: pixels; also --shape_radius (default: 1.0)" in text
    # What all have stands without their names, and its default is that of the default shape.
    assert "--shape.at AT where (default: 0.5,0.5)" in text
    assert "--shape.grey GREY of square, dot: how light" in text and "how light (default" not in text
    assert "at most so many" in text and "None" not in text


shapes = Registry("shape", flag="--shape")


Radius = Annotated[float, Option("pixels", above=0, alias="shape_radius")]
At = Annotated[tuple[float, ...], Option("where")]
Grey = Annotated[float, Option("how light")]


@shapes.register("circle")
def circle(*, radius: Radius = 1.0, at: At = (0.5, 0.5)):
    return radius


@shapes.register("square")
def square(*, radius: Radius = 1.0, at: At = (0.0, 0.0), grey: Grey = 0.1):
    return radius


@shapes.register("dot")
def dot(*, at: At = (0.0, 0.0), grey: Grey = 0.2):
    return at
