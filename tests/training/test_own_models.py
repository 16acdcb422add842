"""A network of a user's own, named MODULE:NAME: it trains, and says what its stages are or what is missing."""

import re
from pathlib import Path

import keras
import pytest

from runs import contents, flags, newest, plain, rows
from segnet_hpu import config
from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.load import load
from segnet_hpu.models.build import build_model
from segnet_hpu.models.resizing import resized_model
from segnet_hpu.train import train
from segnet_hpu.training.run_folder import RunFolder
from segnet_hpu.training.settings import Settings

MODULE = """
import keras
from keras import layers
from segnet_hpu.models.roles import mark_stages

def net(n_classes, height, width, says=True):
    image = keras.Input((height, width, 3))
    first = layers.Conv2D(4, 3, padding="same", name="first")(layers.Rescaling(1 / 255)(image))
    second = layers.Conv2D(4, 3, padding="same", name="second")(layers.AveragePooling2D(2)(first))
    if says:
        mark_stages([first, second])
    return keras.Model(image, layers.Conv2D(n_classes, 1, dtype="float32")(second), name="of_mine")

def silent(*size):
    return net(*size, says=False)

def nameless(*size):
    model = net(*size)
    return keras.Model(model.inputs, model.outputs)

def sequential(n_classes, height, width):
    return keras.Sequential([keras.Input((height, width, 3)), layers.Conv2D(n_classes, 1)])

def free(n_classes, height, width):
    return net(n_classes, None, None)

def spaced(*size):
    model = net(*size)
    return keras.Model(model.inputs, model.outputs, name="my net")

class Subclassed(keras.Model):
    def __init__(self, *size):
        super().__init__()

def two(n_classes, height, width):
    image, other = keras.Input((height, width, 3)), keras.Input((height, width, 3))
    return keras.Model([image, other], layers.Conv2D(n_classes, 1)(image + other))

def text(*size):
    return "net"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "mynets.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def argv(data, name, **settings):
    return flags(**data | dict(model_name=name, input_height=32, input_width=48, epochs=1) | settings)


def test_it_trains_freezes_and_takes_other_sizes(place, data):
    assert main(["train", *argv(data, "mynets:net", freeze_stages=1, decoder_rate=3, train_engine="cpu")]) == 0
    assert contents(newest("run"))
    trained = load("run")
    assert trained.network.name == "of_mine" and not trained.network.get_layer("first").trainable
    assert resized_model(trained.network, (64, 64)).output_shape == (None, 32, 32, 3)


def test_one_without_a_name_goes_on_in_the_same_process(place, data):
    for epochs in (1, 2):
        assert main(["train", *argv(data, "mynets:nameless", train_engine="cpu", epochs=epochs,
                                    auto_resume_checkpoint=True)]) == 0
    assert load("run").network.name == "nameless" and len(rows(place)) == 2


def test_an_object_without_a_name_goes_on_in_the_same_process(place, data):
    given = {name: value for name, value in data.items() if name not in ("model_name", "encoder_weights")}
    for epochs in (1, 2):
        keras.utils.set_random_seed(1)
        model = plain()
        model = keras.Model(model.inputs, model.outputs)
        history = train(model, **given | dict(epochs=epochs, auto_resume_checkpoint=True))
    assert history.epoch == [0, 1]


def test_a_function_of_python(place, data):
    names = ("model_name", "n_classes", "train_images", "train_annotations", "input_height", "input_width")
    given = {name: value for name, value in data.items() if name not in names}
    images, labels = data["train_images"], data["train_annotations"]
    module = {}
    exec(MODULE, module)
    for epochs in (1, 2):
        train(module["nameless"], images, labels, n_classes=3, input_height=32, input_width=48, epochs=epochs,
              auto_resume_checkpoint=True, **given)
    assert load("run").network.name == "nameless" and len(rows(place)) == 2
    assert build_model(module["net"], n_classes=3).output_shape == (None, None, None, 3)
    with pytest.raises(UsageError, match="input_height is not given; a model of your own, net, needs it"):
        train(module["net"], images, labels, n_classes=3, **given)
    with pytest.raises(UsageError, match="model is 5; expected a name"):
        train(5, images, labels, n_classes=3, **given)


@pytest.mark.parametrize("name", ["sequential", "free", "spaced", "Subclassed", "two"])
def test_a_made_model_that_does_not_fit_is_refused_alike(place, data, name):
    module = {}
    exec(MODULE, module)
    with pytest.raises(UsageError, match="; expected"):
        train(module[name](3, 32, 48), data["train_images"], data["train_annotations"], model_dir="refused")
    assert not (place / "refused").exists()


def test_a_function_without_a_name_gives_its_model_one():
    module = {}
    exec(MODULE, module)
    assert build_model(lambda *size: module["nameless"](*size), 3, 32, 48).name == "lambda"


def test_a_function_without_a_name_gives_its_run_a_folder():
    assert RunFolder.of(config.from_values(Settings, model_name=None, train_images="a", train_annotations="b"),
                        "<lambda>").best == Path("runs/lambda/checkpoints/lambda.best.keras")


def test_the_example_of_the_page(place, data):
    page = Path(__file__).parents[2] / "docs/own_models.md"
    (place / "pagenets.py").write_text(re.search(r"```python\n(.*?)```", page.read_text(), re.S)[1])
    assert main(["train", *argv(data, "pagenets:net", freeze_stages=1, decoder_rate=2, train_engine="cpu")]) == 0
    assert load("run").network.name == "mine"


@pytest.mark.parametrize("name,settings,message", [
    ("keras.losses:dice", {}, "--model_name keras.losses:dice: .*; expected a function .n_classes"),
    ("mynets:silent", dict(freeze_stages=1), "--freeze_stages: of_mine .*does not say which layers its encoder has"),
    ("mynets:silent", dict(decoder_rate=2), "--decoder_rate: of_mine .*mark_stages"),
    ("mynets:text", {}, "--model_name mynets:text made 'net'; expected a function"),
    ("mynets:sequential", {}, "--model_name mynets:sequential made a keras.Sequential; expected a functional"),
    ("mynets:free", {}, "of_mine takes pictures .None, None, 3. .*expected a height, a width"),
    ("mynets:spaced", {}, "made a model with the name 'my net'; expected letters"),
    ("mynets:Subclassed", {}, "made a Subclassed; expected a functional model"),
    ("mynets:two", {}, "made a model .*; expected one picture"),
    ("mynets:gone", {}, "--model_name mynets:gone: .*has no attribute 'gone'; expected MODULE:NAME"),
    ("none", {}, "--model_name is none, which is for a model that Python brings; expected a name"),
    ("the Python object of_mine", {}, "--model_name is 'the Python object of_mine'; expected a name .*give it again"),
    ("mynets:net", dict(model_options="level=2"), "--model_options is for the models that `segnet-hpu models` lists"),
])
def test_refusals(place, data, name, settings, message, capsys):
    assert main(["train", *argv(data, name, train_engine="cpu", **settings)]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_size_is_needed(place, data, capsys):
    settings = {name: value for name, value in data.items() if "input" not in name}
    assert main(["train", *flags(**settings | dict(model_name="mynets:net"))]) == 2
    assert "--input_height is not given; a model of your own, mynets:net, needs it" in capsys.readouterr().err
