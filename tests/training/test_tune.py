"""The search: its bookkeeping with a training that is made up, and once, killed and resumed, with a real one."""

import csv
import multiprocessing
import os
import signal
import sys

import cv2
import pytest

import runs
from segnet_hpu import cli, config
from segnet_hpu.components import Choice
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.search.space import Choices, Range
from segnet_hpu.training.settings import Settings

pytest.importorskip("optuna", reason="no Optuna here; the tests of tune need segnet_hpu[tune]")
pytest.importorskip("matplotlib", reason="no matplotlib here; the tests of tune need segnet_hpu[tune]")

SPACE = {"learning_rate": Range(1e-4, 1e-1, log=True), "loss": Choices(("ce", "dice")),
         "batch_size": Range(2, 8, step=2)}


@pytest.fixture
def base(data):
    return config.from_values(Settings, **{k: str(v) if hasattr(v, "parts") else v for k, v in data.items()},
                              epochs=3, learning_rate=0.002)


@pytest.fixture
def search(base, tmp_path, monkeypatch):
    """search(train, trials, ...) in one folder; train: a function (settings, report) -> (score, stopped)."""
    from segnet_hpu.search import study

    def run(train, trials, space=SPACE, base=base, plots=False):
        monkeypatch.setattr(study, "run_trial", lambda settings, log, report: train(settings, report))
        if not plots:
            monkeypatch.setattr(study, "write_plots", lambda *_: None)
        return study.search(base, space, tmp_path, trials, prune=True)

    return run


def table(folder):
    with open(folder / "trials.csv") as file:
        return list(csv.DictReader(file))


def steady(settings, report):
    """Three epochs; smaller rates are better."""
    scores = [0.1 * epoch - settings.learning_rate for epoch in (1, 2, 3)]
    for epoch, score in enumerate(scores, 1):
        if report(epoch, score):
            return max(scores[:epoch]), True
    return max(scores), False


def test_best_settings_are_found_and_written(search, base, tmp_path):
    study = search(steady, 8, plots=True)
    rows = table(tmp_path)
    # The configuration as it is comes first.
    assert [float(rows[0][name]) for name in ("learning_rate", "batch_size")] == [0.002, 2]
    done = [row for row in rows if row["state"] == "done"]
    assert len(rows) == 8 and {row["state"] for row in rows} <= {"done", "pruned"}
    best = max(done, key=lambda row: float(row["score"]))
    assert study.best_trial.number == int(best["trial"])
    assert float(best["score"]) == pytest.approx(0.3 - float(best["learning_rate"])) and best["epoch"] == "3"
    found = config.read(Settings, ["--config", str(tmp_path / "best.yaml")], prog="train", environ={})
    assert found.learning_rate == float(best["learning_rate"]) <= base.learning_rate
    assert (str(found.loss), found.epochs, found.model_dir) == (best["loss"], 3, str(tmp_path / "best"))
    for name in ("history", "settings", "epochs"):
        assert cv2.imread(str(tmp_path / f"{name}.png")).std() > 0


def test_a_trial_below_the_median_ends_early(search, tmp_path):
    answers = []

    def train(settings, report):
        score = 0.1 if len(answers) in (2, 6) else 0.5
        answers.append([report(epoch, score) for epoch in (1, 2)])
        return score, answers[-1][-1]

    search(train, 8)
    # Not among the first five, and not after the first epoch, which says little.
    assert answers == [[False, False]] * 6 + [[False, True], [False, False]]
    assert [row["state"] for row in table(tmp_path)] == ["done"] * 6 + ["pruned", "done"]


def test_failures_are_recorded_and_the_search_goes_on(search, base, tmp_path):
    base.loss = Choice("ce", {"label_smoothing": 0.1})  # which dice does not take

    def train(settings, report):
        if settings.batch_size == 8:
            raise RunError("the loss is nan at\nstep 3")
        return steady(settings, report)

    search(train, 9, base=base)
    rows = table(tmp_path)
    assert len(rows) == 9
    for row in rows:
        if row["loss"] == "dice":
            assert row["state"] == "failed" and "--label_smoothing does not go with --loss dice" in row["why"]
        elif row["batch_size"] == "8":
            assert (row["state"], row["why"]) == ("failed", "the loss is nan at step 3")
        else:
            assert row["state"] in ("done", "pruned") and not row["why"]
    assert {(row["loss"], row["batch_size"] == "8") for row in rows} >= {("dice", False), ("ce", True), ("ce", False)}


def test_nothing_but_failures(search, tmp_path):
    def train(settings, report):
        raise RunError("out of memory")

    with pytest.raises(RunError, match="none of the 3 trials succeeded.*trials.csv"):
        search(train, 3)
    assert not (tmp_path / "best.yaml").exists()


def test_a_killed_trial_is_tried_again_and_finished_ones_are_kept(search, tmp_path):
    asked = []

    def train(settings, report):
        asked.append((settings.learning_rate, settings.loss, settings.batch_size))
        if len(asked) == 3:
            raise KeyboardInterrupt  # leaves the trial as a SIGKILL does
        return steady(settings, report)

    with pytest.raises(KeyboardInterrupt):
        search(train, 5)
    before = table(tmp_path)
    search(train, 5)
    rows = table(tmp_path)
    assert rows[:2] == before and [row["state"] for row in rows[2:4]] == ["killed", "done"]
    assert asked[3] == asked[2] and len(asked) == len(set(asked)) + 1  # nothing else is drawn twice
    assert [row["state"] for row in rows if row["state"] != "killed"].count("done") <= 5 == len(rows) - 1
    search(train, 5)
    assert len(asked) == 6  # there was nothing left to do


def test_a_folder_belongs_to_one_search(search, base, tmp_path):
    search(steady, 2)
    with pytest.raises(UsageError, match="another --space"):
        search(steady, 2, space=SPACE | {"loss": Choices(("ce",))})
    base.epochs = 4
    with pytest.raises(UsageError, match="another --config"):
        search(steady, 2, base=base)
    base.epochs = 3

    def meanwhile(settings, report):
        with pytest.raises(UsageError, match="another search is at work"):
            search(steady, 3)
        return steady(settings, report)

    search(meanwhile, 3)
    assert table(tmp_path)[2]["state"] == "done"


def _tune(folder, argv):
    os.chdir(folder)
    with open("out", "w") as sys.stdout, open("err.txt", "w") as sys.stderr:
        sys.exit(cli.main(["tune", *argv]))


def test_a_search_killed_while_it_trains_goes_on(tmp_path, data, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{runs.ROOT}{os.pathsep}{runs.HERE}")
    (tmp_path / "s.yaml").write_text("learning_rate: {low: 1e-4, high: 1e-2, log: true}\n")
    log = tmp_path / "search/trials/0/log.txt"
    log.parent.mkdir(parents=True)
    for pipe in (tmp_path / "out", log):
        os.mkfifo(pipe)
    argv = runs.flags(**data | dict(model_name="unet_mini", epochs=1, steps_per_epoch=1,
                                    val_pictures=0, space="s.yaml", trials=1, out="search"))
    server = multiprocessing.get_context("forkserver")  # with Keras, from `runs`; the trials come from it too

    def start():
        process = server.Process(target=_tune, args=(str(tmp_path), argv))
        process.start()
        return process, open(tmp_path / "out")

    process, out = start()
    with open(log) as file:  # the trial has begun
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        file.read()  # ends when the trial does, which shall not outlive its search
    out.close()

    process, out = start()
    said = out.read()
    process.join()
    assert process.exitcode == 0, (tmp_path / "err.txt").read_text()
    rows = table(tmp_path / "search")
    assert [row["state"] for row in rows] == ["killed", "done"]
    assert rows[0]["learning_rate"] == rows[1]["learning_rate"]
    assert "search/best.yaml" in said.splitlines()[-1]
    trial = tmp_path / "search/trials/1"
    assert (trial / "report.html").exists() and "epoch 1/1" in (trial / "log.txt").read_text()
    assert [path.name for path in trial.glob("checkpoints/*.keras")] == ["unet_mini.best.keras"]
