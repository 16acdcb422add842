"""Components: registered, found, checked and made from what they declare themselves."""

import subprocess
import sys
from typing import Annotated

import pytest

from segnet_hpu.components import Choice, Option, Registry
from segnet_hpu.errors import UsageError

shapes = Registry("shape", flag="--shape", expected="a shape")


@shapes.register("circle", round=True)
class Circle:
    """A circle.

    With more to say.
    """

    def __init__(self, canvas=None, *,
                 radius: Annotated[float, Option("pixels", above=0, below=9, example="2")] = 1.0,
                 label: Annotated[str | None, Option("name")] = None):
        self.canvas, self.radius, self.label = canvas, radius, label


@shapes.register("square")
def square(canvas, *, side: Annotated[int, Option("pixels", minimum=1, maximum=5)],
           radius: Annotated[float, Option("of the corners", minimum=0)] = 0.0):
    """Return a square."""
    return canvas, side, radius


def test_a_component_says_everything_about_itself():
    circle = shapes.find("circle")
    assert shapes.names() == ("circle", "square") and circle.help == "A circle." and circle.traits == {"round": True}
    assert list(circle.options) == ["radius", "label"] and shapes.users("radius") == ["circle", "square"]
    radius, label = circle.options.values()
    assert (radius.scalar, radius.default, radius.optional, label.scalar, label.optional) == (
        float, 1.0, False, str, True)
    assert radius.expected() == "a number between 0 and 9, such as 2"


def test_made_with_options_and_what_it_takes_of_the_context():
    circle = shapes.make({"name": "circle", "radius": "2", "label": "none"}, canvas="c", seed=3)
    assert (circle.canvas, circle.radius, circle.label) == ("c", 2.0, None)
    assert shapes.make(Choice("square", {"side": 3.0}), canvas="c", seed=3) == ("c", 3, 0.0)
    assert shapes.make("circle").radius == 1.0


def test_objects_and_modules_of_the_users_own(tmp_path, monkeypatch):
    (tmp_path / "shapes_of_mine.py").write_text(
        "from __future__ import annotations\nfrom typing import Annotated\n"
        "from segnet_hpu.components import Option\n"
        "def star(canvas, points: Annotated[int, Option('points', minimum=3)] = 5):\n    return canvas, points\n"
        "number = 3\n")
    monkeypatch.chdir(tmp_path)
    assert shapes.make({"name": "shapes_of_mine:star", "points": 7}, canvas="c") == ("c", 7)
    assert shapes.make(Circle).radius == 1.0 and shapes.make({"name": square, "side": 2}, canvas=1) == (1, 2, 0.0)
    made = Registry("shape", flag="--shape", functions_are_ready=True).make(square)
    assert made is square
    for name, words in (("shapes_of_mine:moon", "expected MODULE:NAME"),
                        ("./shapes_of_mine.py:star", "names a file; .* as in shapes_of_mine:star where"),
                        ("shapes_of_mine.py:star", "names a file; .* as in shapes_of_mine:star where"),
                        ("nowhere:moon", "No module named 'nowhere'"),
                        ("shapes_of_mine:number", "--shape shapes_of_mine:number is a int; expected a shape")):
        with pytest.raises(UsageError, match=words):
            shapes.make(name)


@pytest.mark.parametrize(("value", "words"), [
    ("cirkle", r"unknown shape 'cirkle'; expected one of circle, square, or MODULE:NAME. Did you mean circle\?"),
    ({"name": "circle", "side": 2}, "shape circle takes no side; use square, or leave it out"),
    ({"name": "circle", "radios": 2}, r"shape circle takes no radios. Did you mean radius\?"),
    ({"name": "circle", "radius": 0}, "radius is 0.0; expected a number between 0 and 9, such as 2"),
    ({"name": "circle", "radius": 9}, "radius is 9.0; expected"),
    ({"name": "square", "side": 6}, "side is 6; expected a whole number of at least 1 and at most 5"),
    ("square", "shape square needs side; expected a whole number"),
    ({"radius": 2}, "expected a name"),
    (3, "or MODULE:NAME, or a shape"),
])
def test_refusals(value, words):
    with pytest.raises(UsageError, match=words):
        shapes.make(value, canvas=None)


def test_an_undeclared_option_of_an_installed_package_is_declared_in_code_of_ones_own():
    declare = r'declare it {} as {}: Annotated\[TYPE, Option\("what it is"\)\]'
    with pytest.raises(UsageError, match=declare.format("in a function of your own that makes it", "args")):
        shapes.choice({"name": subprocess.Popen, "args": "2"})
    with pytest.raises(UsageError, match=declare.format("there", "colour")):
        shapes.choice({"name": lambda canvas, colour="red": canvas, "colour": "blue"})


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match="there is a shape 'circle' already"):
        shapes.register("circle")(Circle)


def test_keras_is_imported_at_its_first_use():
    code = ("import sys; from segnet_hpu.lazy import keras, layers, ops; assert 'keras' not in sys.modules; "
            "assert layers.Dense and ops.add and keras.Model and 'keras' in sys.modules")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
