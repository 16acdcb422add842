"""What a search tells: a line a trial, the table, the plots, the settings to train with."""

import csv
import io
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot
from matplotlib.ticker import NullFormatter
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as plots

from segnet_hpu import config
from segnet_hpu.files import replace_file, write_text
from segnet_hpu.training.settings import Settings

WORDS = {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed",
         TrialState.RUNNING: "running", TrialState.WAITING: "waiting"}


def with_params(base: Settings, params: dict[str, Any], folder: Path) -> Settings:
    """Return the training settings `base` with a trial's choices, for a run that lies in `folder`."""
    return config.from_values(Settings, **config.flatten(base) | params | {"model_dir": str(folder)})


def rows(study: Study) -> list[dict[str, Any]]:
    """Return the trials as dicts, in their order: trial, state, score, epoch (of the score), seconds, one entry
    a setting, and why one failed.

    score: the best validation mean IoU, 0 to 1, of the epochs it trained, None without any.
    """
    names = sorted({name for trial in study.trials for name in trial.params})
    table = []
    for trial in study.trials:
        scores = trial.intermediate_values
        epoch = max(scores, key=scores.__getitem__) if scores else None
        killed = trial.number in study.user_attrs["killed"]
        table.append({"trial": trial.number, "state": "killed" if killed else WORDS[trial.state],
                      "score": None if epoch is None else scores[epoch], "epoch": epoch,
                      "seconds": round(trial.duration.total_seconds(), 1) if trial.duration else None,
                      **{name: trial.params.get(name) for name in names}, "why": trial.user_attrs.get("why")})
    return table


def trial_line(study: Study, trial: FrozenTrial, trials: int) -> str:
    """Return one line about a trial that has just ended."""
    row = rows(study)[trial.number]
    params = ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
    outcome = {"failed": f"failed: {row['why']}", "pruned": f"pruned after epoch {len(trial.intermediate_values)} at "
            f"{_short(row['score'])}"}.get(row["state"], f"val mean IoU {_short(row['score'])}")
    return f"trial {trial.number} (of {trials}): {outcome}; {params}; {row['seconds']:.0f} s"


def summary(study: Study, most: int = 10) -> str:
    """Return the best trials as an aligned table."""
    table = sorted((row for row in rows(study) if row["score"] is not None), key=lambda row: -row["score"])[:most]
    columns = [name for name in table[0] if name != "why"]
    cells = [columns, *([_short(row[name]) for name in columns] for row in table)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def write_table(study: Study, path: Path) -> None:
    """Write `rows` as CSV."""
    table = rows(study)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_text(path, text.getvalue())


def write_best(study: Study, base: Settings, folder: Path) -> None:
    """Write FOLDER/best.yaml, settings for `train --config` that make a run in FOLDER/best, once a trial is done."""
    if not study.get_trials(states=[TrialState.COMPLETE]):
        return
    best = study.best_trial
    head = (f"# Trial {best.number} of the search in {folder}: validation mean IoU {best.value:.4f}. "
            "segnet-hpu train --config with this file trains so again.\n")
    write_text(folder / "best.yaml", head + config.to_yaml(with_params(base, best.params, folder / "best")))


def write_plots(study: Study, folder: Path) -> None:
    """Write FOLDER/{history,settings,epochs}.png: the scores by trial, by setting and by epoch."""
    matplotlib.use("Agg")
    for name, plot in (("history", plots.plot_optimization_history), ("settings", plots.plot_slice),
                       ("epochs", plots.plot_intermediate_values)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna calls its matplotlib plots experimental
            axes = plot(study)
        axes = np.ravel(np.asarray(axes, object))
        for one in axes:  # on a logarithmic axis the figures between the powers of ten would overlap
            one.xaxis.set_minor_formatter(NullFormatter())
        figure = axes[0].figure
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=110, bbox_inches="tight")
        pyplot.close(figure)
        replace_file(folder / f"{name}.png", picture.getvalue())


def _short(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
