"""What a user sees of a training step: the bar on a terminal, and lines elsewhere."""

import sys

import pytest

from segnet_hpu import progress


@pytest.mark.parametrize("terminal", [True, False])
def test_the_loss_stands_on_the_line_after_every_batch(monkeypatch, capsys, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0)
    monkeypatch.setattr(progress, "BAR_SECONDS", 0)
    with progress.Progress("epoch 1/2", 6, "image") as shown:
        for loss in ("0.9000", "0.7000", "0.5000"):
            shown.update(2, f"loss {loss}")
    err = capsys.readouterr().err
    assert [err.count(f"loss {loss}") for loss in ("0.9000", "0.7000", "0.5000")] == [1, 1, 1]
    assert "epoch 1/2" in err and "6/6" in err
