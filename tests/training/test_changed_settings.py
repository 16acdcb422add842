"""A run that goes on under other settings or with other pictures: refused by their names, or allowed and noted."""

import dataclasses
import json
import shutil
from functools import partial
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from runs import flags, plain, rows, run
from segnet_hpu import config
from segnet_hpu.compat.keras_segmentation.inputs import Inputs
from segnet_hpu.data.datasets import DataSet, open_dataset
from segnet_hpu.data.fingerprint import difference, fingerprint
from segnet_hpu.data.source import FolderSource
from segnet_hpu.errors import UsageError
from segnet_hpu.fields import keys
from segnet_hpu.options import as_text
from segnet_hpu.training import made_with
from segnet_hpu.training.settings import Settings
from segnet_hpu.training.state import EpochSums, State
from toy import write_toy

PATH = Path("run/checkpoints/net.2.keras")
# Another value of each setting that changes what is computed, but for those that go by the network or the ranks.
OTHERS = dict(ignore_label=1, do_augment=True, clahe=0.5, data_type="bf16", n_classes=4, input_height=64,
              input_width=64, freeze_stages=1, use_upsampling=False, model_options="dropout=0.3", batch_size=4,
              steps_per_epoch=9, val_steps_per_epoch=3, val_metrics="boundary", loss="dice", l2=0.1,
              optimizer_name="sgd", learning_rate=0.5, decoder_rate=2, lr_schedule="poly", warmup_epochs=1,
              scale_lr="sqrt", sync_batch_norm=True, weight_decay=0.1, clipnorm=1, accumulate=2, ema=0.9,
              monitor="val_loss", seed=3, model_name="unet_mini", compress_gradients=True, orientation="as_stored",
              image_range="0-1023", ignore_alpha=True, image_downsampling="bilinear", label_downsampling="majority",
              align_maps=False, average_momentum="constant", class_names="a,c,b")


def settings(**values):
    return config.from_values(Settings, **{"model_name": "vgg_segnet", "n_classes": 3, "train_images": "a",
                                           "train_annotations": "b"} | values)


def changed(before, now):
    data = {"data": {"pictures": 2}}
    return made_with.changes(made_with.computed_settings(before) | data, made_with.computed_settings(now) | data)


@pytest.mark.parametrize("name", OTHERS)
def test_what_changes_the_result_is_refused_with_old_and_new(name):
    names = {"class_names": "a,b,c"} if name == "class_names" else {}
    found = changed(settings(**names), settings(**{name: OTHERS[name]}))
    assert name in [change.name for change in found]
    with pytest.raises(UsageError) as error:
        made_with.refuse(PATH, found, [])
    old, new = as_text(found[0].old), as_text(found[0].new)
    assert old != new and f"{PATH} was made with --{name} {old}, this run has {new}" in str(error.value)
    assert f"--init_from {PATH}" in str(error.value)
    assert ("--allow_change" in str(error.value)) == (name not in ("model_name", "n_classes"))


def test_every_setting_says_what_another_value_changes():
    classified = {name: key.parameter.option.changes for name, key in keys(Settings).items() if not key.users}
    assert set(classified.values()) == {"nothing", "training", "scores"}
    computed = {name for name, changes in classified.items() if changes != "nothing"}
    assert computed - OTHERS.keys() == {"augmentation_name"}


@pytest.mark.parametrize("now", [
    dict(epochs=99), dict(model_dir="elsewhere"), dict(train_engine="cpu"), dict(keep_checkpoints=5), dict(threads=3),
    dict(save_steps=7), dict(val_pictures=0), dict(early_stopping=4), dict(val_batch_size=9), dict(loader_threads=1),
    dict(train_images="moved"), dict(not_verify_dataset=True), dict(init_from="gone"), dict(loss={"name": "ce"}),
    dict(l2=0), dict(class_names="a,b,c"), dict(cache_mb=0), dict(max_pixels=1000)])
def test_what_changes_nothing_goes_on(now):
    assert not changed(settings(), settings(**now))


def test_an_option_of_a_component():
    dice = settings(loss="dice")
    found, = changed(dice, settings(loss={"name": "dice", "smooth": 3}))
    assert found.name == "loss.smooth" and "--loss.smooth 1.0, this run has 3.0" in found.words
    assert not changed(dice, settings(loss={"name": "dice", "smooth": 1}))
    with pytest.raises(UsageError, match="--allow_change loss to go on"):
        made_with.refuse(PATH, [found], [])
    made_with.refuse(PATH, [found], ["loss"])
    augmented = settings(do_augment=True)
    assert changed(augmented, settings(do_augment=True, augmentation_name={"name": "standard", "rotate": 5}))


class Scaled(keras.losses.Loss):
    def __init__(self, factor=1.0, **named):
        super().__init__(**named)
        self._factor = factor


@dataclasses.dataclass
class Flip:
    share: float = 0.5

    def __call__(self, image, mask, rng):
        return image, mask


class Shut:
    """Keeps its number to itself."""

    def __init__(self, number):
        self.call = lambda labels, logits: number

    def __call__(self, labels, logits):
        return self.call(labels, logits)


def flipped(image, mask, share):
    return image, mask


def cosine(steps):
    return keras.optimizers.schedules.CosineDecay(0.1, steps)


@pytest.mark.parametrize("setting,old,new,names", [
    ("loss", Scaled(1.0), Scaled(100.0), ["loss.factor"]),
    ("loss", Scaled(), Scaled(reduction="sum"), ["loss.reduction"]),
    ("optimizer_name", keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-1), ["optimizer_name.learning_rate"]),
    ("optimizer_name", keras.optimizers.SGD(0.1), keras.optimizers.SGD(cosine(9)), ["optimizer_name.learning_rate"]),
    ("optimizer_name", keras.optimizers.SGD(cosine(8)), keras.optimizers.SGD(cosine(9)),
     ["optimizer_name.learning_rate"]),
    ("lr_schedule", cosine(8), cosine(9), ["lr_schedule.decay_steps"]),
    ("augmentation_name", Flip(0.0), Flip(1.0), ["augmentation_name.share"]),
    ("augmentation_name", partial(flipped, share=0), partial(flipped, share=1), ["augmentation_name.share"]),
    ("loss", Scaled(), Scaled(), []),
    ("optimizer_name", keras.optimizers.Adam(cosine(8)), keras.optimizers.Adam(cosine(8)), []),
    ("loss", Shut(1), Shut(2), [])])
def test_an_object_made_with_other_arguments(setting, old, new, names):
    augment = dict(do_augment=True) if setting == "augmentation_name" else {}
    found = changed(settings(**{setting: old}, **augment), settings(**{setting: new}, **augment))
    assert [change.name for change in found] == names
    json.dumps(made_with.computed_settings(settings(**{setting: new}, **augment)))


def test_what_an_object_does_not_tell_is_named():
    assert made_with.untold(made_with.computed_settings(settings(loss=Shut(1)))) == ["loss.number"]
    assert made_with.untold(made_with.computed_settings(settings(loss=Scaled(1)))) == []


def test_all_differences_stand_in_one_line_and_only_what_is_not_allowed():
    found = changed(settings(), settings(seed=1, loss="dice", clahe=0.1))
    with pytest.raises(UsageError) as error:
        made_with.refuse(PATH, found, ["seed"])
    assert "--clahe 0.0, this run has 0.1; --loss ce, this run has dice; give" in str(error.value)
    assert "--seed 0" not in str(error.value) and "--allow_change seed,clahe,loss to go on" in str(error.value)


@pytest.mark.parametrize("values,message", [
    (dict(allow_change="los", auto_resume_checkpoint=True), "--allow_change los: expected some .* Did you mean loss"),
    (dict(allow_change="n_classes", auto_resume_checkpoint=True), "--allow_change n_classes: expected some of"),
    (dict(allow_change="loss"), "--allow_change is for a run that goes on; add --auto_resume_checkpoint")])
def test_what_can_be_allowed(values, message):
    with pytest.raises(UsageError, match=message):
        made_with.allowed_changes(settings(**values))


def test_pictures_are_known_by_names_and_labels_not_by_their_place(tmp_path):
    write_toy(tmp_path / "a", 5)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    sources = [FolderSource(tmp_path / name / "images", tmp_path / name / "labels") for name in "ab"]
    before, same = map(fingerprint, sources)
    assert before == same and difference(before, same) is None
    assert fingerprint(FolderSource(*write_toy(tmp_path / "c", 5, seed=7)))["labels"] != before["labels"]
    for folder in ("images", "labels"):
        next((tmp_path / "b" / folder).iterdir()).rename(tmp_path / "b" / folder / "other.png")
    renamed = fingerprint(FolderSource(tmp_path / "b/images", tmp_path / "b/labels"))
    assert difference(before, renamed) == "as many pictures, 5, but of other names"
    more, fewer = before | {"pictures": 7}, before | {"pictures": 4}
    assert difference(before, more) == "pictures were added: 5 then, 7 now"
    assert difference(before, fewer) == "pictures were removed: 5 then, 4 now"
    assert difference(before, before | {"labels": "x"}) == "the same pictures have other labels"


@pytest.mark.parametrize("budget", [1 << 26, 1])
@pytest.mark.parametrize("kind,longer", [("image", True), ("image", False), ("label", True), ("label", False)])
def test_other_contents_under_the_same_names(tmp_path, monkeypatch, budget, kind, longer):
    """Of small sets, and of labels, a single byte is noticed, of many images every other size."""
    monkeypatch.setattr("segnet_hpu.data.fingerprint.BYTES", budget)
    images, labels = write_toy(tmp_path, 12)
    source = FolderSource(images, labels)
    before = fingerprint(source)
    assert difference(before, fingerprint(FolderSource(images, labels))) is None
    path = Path(source.pairs[4].image if kind == "image" else source.pairs[4].label)
    data = path.read_bytes()  # of a label that is not decoded
    path.write_bytes(data + b"x" if longer else data[:-1] + b"x")  # behind the picture: it reads as before
    noticed = longer or budget > 1 or kind == "label"
    assert difference(before, fingerprint(source)) == (f"{kind} files of the same names have other contents"
                                                       if noticed else None)
    earlier = {name: before[name] for name in ("pictures", "names", "labels")}
    assert difference(earlier, fingerprint(source)) is None


@pytest.mark.parametrize("budget", [1 << 30, 1])
def test_every_label_that_is_drawn_anew_is_noticed(tmp_path, monkeypatch, budget):
    """One class in place of another, in files of one size: of large sets as well."""
    monkeypatch.setattr("segnet_hpu.data.fingerprint.BYTES", 1)
    monkeypatch.setattr("segnet_hpu.data.fingerprint.LABEL_BYTES", budget)
    images, labels = write_toy(tmp_path, 12)
    for i in range(12):
        cv2.imwrite(str(labels / f"{i}.bmp"), np.zeros((150, 200), np.uint8))
        (labels / f"{i}.png").unlink()
    source = FolderSource(images, labels)
    before = fingerprint(source)
    for i in range(12):
        sound = (labels / f"{i}.bmp").read_bytes()
        cv2.imwrite(str(labels / f"{i}.bmp"), np.ones((150, 200), np.uint8))
        assert difference(before, fingerprint(source)) is not None, i
        (labels / f"{i}.bmp").write_bytes(sound)
    earlier = {name: value for name, value in before.items() if name not in ("label_bytes", "label_rule")}
    assert difference(before, fingerprint(source)) is difference(earlier, fingerprint(source)) is None


DESCRIBED = """
classes: [road, person, tree]
{rule}
splits:
  train: {{images: images, labels: labels}}
"""
VALUES = "label_values: {road: 0, person: 1, tree: 2}"


@pytest.mark.parametrize("rule,other,noticed", [
    (VALUES, "label_values: {road: 0, person: 2, tree: 1}", True),
    (VALUES, f"{VALUES}\nothers: void", True),
    (VALUES, "label_values: {tree: 2, person: [1], road: 0}", False),
    (VALUES, "", False),
    (VALUES, f"{VALUES}\nname: another\npalette: voc", False),
    ("label_colours: {road: [0, 0, 0], person: [1, 1, 1], tree: [[2, 2, 2], [3, 3, 3]]}",
     "label_colours: {road: [0, 0, 0], tree: [[2, 2, 2], [1, 1, 1]], person: [3, 3, 3]}", True)])
def test_labels_that_stand_for_other_classes(tmp_path, yaml_file, rule, other, noticed):
    """Though the labels that are decoded hold neither of the two; a note of an earlier version has no rule."""
    images, labels = write_toy(tmp_path, 9)
    for path in labels.iterdir():
        if path.stem != "4":
            cv2.imwrite(str(path), np.zeros((32, 48), np.uint8))
    before, now = (fingerprint(open_dataset(yaml_file(DESCRIBED.format(rule=text), "toy.yaml"), None, "train"))
                   for text in (rule, other))
    assert difference(before, now) == ("the values or colours in the label files stand for other classes"
                                       if noticed else None)
    assert difference({name: value for name, value in before.items() if name != "label_rule"},
                      now | {"labels": before["labels"]}) is None


class Reader(DataSet):
    def read_label(self, path):
        return super().read_label(path)


class OtherReader(DataSet):
    def read_label(self, path):
        return 2 - super().read_label(path)


def test_labels_that_another_reader_reads():
    readers = [kind("own", ("a", "b", "c"), None, {}).label_rule for kind in (Reader, OtherReader, Reader, DataSet)]
    assert readers[0] == readers[2] and len(set(readers)) == 3


def test_further_inputs_are_of_the_data(tmp_path):
    images, labels = write_toy(tmp_path / "a", 2)
    further, _ = write_toy(tmp_path / "b", 2, seed=3)
    source = Inputs((further,)).read(FolderSource(images, labels))
    before = fingerprint(source)
    shutil.copy(further / "0.png", further / "1.png")
    assert difference(before, fingerprint(source)) == "image files of the same names have other contents"


def test_other_pictures_are_told_in_these_words_alone():
    """Not by the number of steps that follows from them, nor by a flag that was never given."""
    before = {"data": {"pictures": 2, "names": "x", "labels": "y"}, "steps_per_epoch": 2}
    now = {"data": {"pictures": 3, "names": "z", "labels": "y"}, "steps_per_epoch": 3}
    with pytest.raises(UsageError) as error:
        made_with.refuse(PATH, made_with.changes(before, now), [])
    assert "was made with other training data (pictures were added: 2 then, 3 now); give" in str(error.value)
    assert "steps" not in str(error.value) and "--allow_change data to go on" in str(error.value)
    # Of a checkpoint of an earlier version no more is known.
    found, = made_with.changes({"steps_per_epoch": 2}, now)
    assert found.name == "data" and "pictures were added or removed" in found.words


def test_an_epoch_of_other_steps_is_begun_again_and_scores_that_mean_other_things_do_not_count():
    before = {"data": {"pictures": 2}, "steps_per_epoch": 10, "monitor": "val_mean_iou", "ignore_label": None,
              "seed": 0}
    now = before | {"steps_per_epoch": 15, "seed": 1}
    state = State(step=34, epoch=3, best_score=0.9, best_epoch=2, sums=EpochSums(1, 2, 3, 4), learning_rate=0.1)
    made_with.note(state, made_with.changes(before, now), before, now)
    assert (state.step, state.sums, state.best_score, state.learning_rate) == (45, EpochSums(), 0.9, 0.1)
    assert state.changed == "steps_per_epoch 10 -> 15; seed 0 -> 1"
    made_with.note(state, made_with.changes(now, now | {"ignore_label": 1}), now, now)
    assert (state.best_score, state.epochs_without_gain) == (None, 0)
    assert state.finish_epoch({"epoch": 4}, -9.0)
    assert state.history == [{"epoch": 4, "changed": "ignore_label none -> 1"}]
    assert state.changed is None


def test_a_run_goes_on_deliberately(tmp_path, data):
    """Case 24: refused as a whole, then allowed, noted, and from then on as if it had always been so."""
    values = data | dict(batch_size=5, auto_resume_checkpoint=True)
    other = flags(**values, epochs=2, loss="dice", optimizer_name="sgd", ignore_label=1)
    status, _, err = run(tmp_path, *flags(**values, epochs=1), model=plain)
    assert status == 0, err
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("[!.]*") if p.is_file()}
    status, _, err = run(tmp_path, *other, model=plain)
    assert status == 2 and "--allow_change ignore_label,loss,optimizer_name" in err.splitlines()[-1]
    assert {p: p.read_bytes() for p in (tmp_path / "run").rglob("[!.]*") if p.is_file()} == before
    status, out, err = run(tmp_path, *other, "--allow_change=ignore_label,loss,optimizer_name", model=plain)
    assert status == 0 and "going on at step 2 (epoch 2)" in out and "best epoch 2" in out, err
    assert [row["changed"] for row in rows(tmp_path)] == [
        "", "ignore_label none -> 1; loss ce -> dice; optimizer_name adam -> sgd"]
    status, out, err = run(tmp_path, *other, "--epochs=3", model=plain)
    assert status == 0 and [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3"], err


def test_pictures_are_added(tmp_path, data):
    """Case 15."""
    images, labels = write_toy(tmp_path / "train", 2)
    values = data | dict(train_images=images, train_annotations=labels, validate=False, batch_size=1,
                         auto_resume_checkpoint=True)
    status, _, err = run(tmp_path, *flags(**values, epochs=1), model=plain)
    assert status == 0, err
    shutil.rmtree(tmp_path / "train")
    write_toy(tmp_path / "train", 3)
    status, _, err = run(tmp_path, *flags(**values, epochs=2), model=plain)
    assert status == 2 and "other training data (pictures were added: 2 then, 3 now); give" in err.splitlines()[-1]
    status, _, err = run(tmp_path, *flags(**values, epochs=2, allow_change="data"), model=plain)
    assert status == 0 and [row["step"] for row in rows(tmp_path)] == ["2", "6"], err
    assert rows(tmp_path)[1]["changed"] == "other training data (pictures were added: 2 then, 3 now)"
    # Of the same names, and none of a label.
    cv2.imwrite(str(images / "1.png"), 255 - cv2.imread(str(images / "1.png")))
    status, _, err = run(tmp_path, *flags(**values, epochs=3), model=plain)
    assert status == 2 and "training data (image files of the same names have other contents)" in err.splitlines()[-1]


def test_another_backend_is_told_and_not_refused():
    before, now = {"backend": "torch"}, {"backend": "jax"}
    assert made_with.changes(before, now) == []
    assert made_with.other_backend(before, now) == (
        "the run began on torch and goes on on jax: the same training but for rounding, not equal to the bit")
    assert made_with.other_backend({}, now) is None and made_with.other_backend(now, now) is None
