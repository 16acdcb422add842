"""Batches are held against the data and the memory before anything of their size is made."""

import pytest

from runs import flags, plain, run
from segnet_hpu import config
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.ranks import ALONE
from segnet_hpu.training import batch_size
from segnet_hpu.training.settings import Settings

# Three batches ahead of an RGB picture and a label, and the widest layer: four channels of four bytes.
EACH = 3 * 32 * 48 * (3 + 1) + 4 * 32 * 48 * 4


def check(monkeypatch, free, pictures=9, val_pictures=9, **values):
    monkeypatch.setattr(batch_size, "available_memory", lambda: free)
    settings = Settings(model_name="vgg_segnet", n_classes=3, train_images="a", train_annotations="b", **values)
    batch_size.check_batch_sizes(settings, plain(), True, ALONE, settings.batch_size, range(pictures),
                                 range(val_pictures))


def test_what_memory_cannot_hold_is_refused_with_what_it_can(monkeypatch):
    check(monkeypatch, 6 * EACH, batch_size=6)
    with pytest.raises(UsageError, match="--batch_size is 7: such a step needs at least .*; expected at most 6,"):
        check(monkeypatch, 6 * EACH, batch_size=7)
    with pytest.raises(UsageError, match="--val_batch_size is 7: such a step"):
        check(monkeypatch, 6 * EACH, val_batch_size=7)
    check(monkeypatch, 6 * EACH, val_batch_size=10**9, val_pictures=6)  # a batch holds no more than there is


def test_pictures_that_come_more_than_once_are_told(monkeypatch, capsys):
    check(monkeypatch, 10**9, batch_size=9)
    assert capsys.readouterr().err == ""
    check(monkeypatch, 10**9, batch_size=10)
    assert "a step of 10 pictures takes some of the 9 training pictures more than once" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["batch_size", "val_batch_size", "steps_per_epoch", "epochs", "save_steps"])
@pytest.mark.parametrize("value", ["9" * 10, "9" * 20, "9" * 5000])
def test_numbers_beyond_all_bounds(name, value):
    with pytest.raises(UsageError, match=f"--{name} is .*; expected a whole number of at least 1"):
        config.read(Settings, [f"--{name}={value}"], prog="train")


def test_a_hundred_million(tmp_path, data):
    """Case 31."""
    status, _, err = run(tmp_path, *flags(**data, batch_size=10**8, epochs=1), model=plain)
    assert status == 2 and "--batch_size is 100000000: such a step needs at least" in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()
