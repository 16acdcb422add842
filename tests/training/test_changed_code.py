"""A run that goes on with code of the user's that was edited, or with a schedule that ends elsewhere."""

import importlib.util
import linecache
import sys

import keras
import pytest

from runs import flags, plain, run
from segnet_hpu import config
from segnet_hpu.code_hash import code_hash
from segnet_hpu.objectives.schedules import ends_with_run
from segnet_hpu.training import made_with
from segnet_hpu.training.settings import Settings


def settings(**values):
    return config.from_values(Settings, **{"model_name": "vgg_segnet", "n_classes": 3, "train_images": "a",
                                           "train_annotations": "b"} | values)


def mirrored(image, mask):
    return image[:, ::-1], mask[:, ::-1]


EDITED = """
import numpy as np

SHARE = 0.5


def rows(image):
    return image[::-1]


class Turn:
    def __call__(self, image, mask):
        return rows(image), mask


def flip(image, mask, rng):  # a comment
    if rng.random() < SHARE:
        image, mask = rows(image), mask[::-1]
    return image, mask


def make(share):
    def change(image, mask):
        return image[:round(share)], mask
    return change


def unused():
    return 0
"""


@pytest.fixture
def hash_of(tmp_path):
    """Return a function: the hash of what an expression means in a file with this text."""
    def of(text, expression):
        (tmp_path / "edited_by_user.py").write_text(text)
        spec = importlib.util.spec_from_file_location("edited_by_user", tmp_path / "edited_by_user.py")
        module = sys.modules["edited_by_user"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        linecache.checkcache()
        return code_hash(eval(expression, vars(module)))
    yield of
    sys.modules.pop("edited_by_user", None)


@pytest.mark.parametrize("expression,old,new,noticed", [
    ("flip", "mask[::-1]", "mask[:,::-1]", True),
    ("flip", "image[::-1]", "image[:, ::-1]", True),
    ("flip", "SHARE = 0.5", "SHARE = 0.75", True),
    ("flip", "# a comment", "# another, longer comment", False),
    ("flip", "return 0", "return 1", False),
    ("Turn()", "rows(image), mask", "rows(image)*2, mask", True),
    ("make(1)", "round(share)", "round(share * 2)", True)])
def test_an_edit_of_the_users_code(hash_of, expression, old, new, noticed):
    assert (hash_of(EDITED, expression) != hash_of(EDITED.replace(old, new), expression)) == noticed


def test_what_made_a_function_counts_and_code_that_nobody_can_read_has_no_hash(hash_of):
    assert hash_of(EDITED, "make(1)") == hash_of(EDITED, "make(1)") != hash_of(EDITED, "make(2)")
    assert code_hash(eval("lambda image, mask: (image, mask)")) is None
    noted = made_with.computed_settings(settings(do_augment=True, augmentation_name=mirrored))
    assert noted["augmentation_name.code"] == code_hash(mirrored)
    assert not [name for name in made_with.computed_settings(settings(optimizer_name=keras.optimizers.Adam(1e-3)))
                if name.endswith(".code")]


@pytest.mark.parametrize("old,new,schedule,told", [
    (2, 20, "poly", True), (2, 2, "poly", False), (2, 20, {"name": "step", "step_every": 1}, False),
    (2, 20, "step", True), (2, 20, "constant", False),
    (2, 20, keras.optimizers.schedules.CosineDecay(0.1, 9), False)])
def test_a_schedule_that_ends_with_the_run(old, new, schedule, told):
    choice = settings(lr_schedule=schedule).lr_schedule
    before, now = ({"lr_schedule": str(choice)} | ({made_with.SPAN: epochs} if ends_with_run(choice) else {})
                   for epochs in (old, new))
    words = made_with.other_span(before, now)
    assert bool(words) == told and not made_with.changes(before, now)
    assert not told or f"--lr_schedule {choice} ends after 20 epochs now, and ended after 2 before" in words
    assert made_with.other_span({}, now) is None


def test_a_run_whose_augmentation_is_edited_is_refused_and_a_longer_schedule_told(tmp_path, data, monkeypatch):
    augmentation = tmp_path / "edited_augmentation.py"
    augmentation.write_text("def change(image, mask):\n    return image, mask\n")
    monkeypatch.chdir(tmp_path)
    values = data | dict(batch_size=5, auto_resume_checkpoint=True, do_augment=True, lr_schedule="poly",
                         augmentation_name="edited_augmentation:change")
    status, _, err = run(tmp_path, *flags(**values, epochs=1), model=plain)
    assert status == 0, err
    status, _, err = run(tmp_path, *flags(**values, epochs=2), model=plain)
    assert status == 0 and "--lr_schedule poly ends after 2 epochs now, and ended after 1 before" in err, err
    augmentation.write_text("def change(image, mask):\n    return image[::-1].copy(), mask\n")
    status, _, err = run(tmp_path, *flags(**values, epochs=3), model=plain)
    assert status == 2 and "was made with other code of --augmentation_name; give" in err, err
    status, _, err = run(tmp_path, *flags(**values, epochs=3, allow_change="augmentation_name"), model=plain)
    assert status == 0, err
