"""The search: asks Optuna for settings, trains with them, and keeps everything in one folder.

SQLite holds the study: a transaction is there whole or not at all after a SIGKILL. (Optuna's journal file would
keep its lock, and a half-written line makes it unreadable.)
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from segnet_hpu import config
from segnet_hpu.errors import RunError, SegnetError, UsageError
from segnet_hpu.files import StrPath
from segnet_hpu.search.results import trial_line, with_params, write_best, write_plots, write_table
from segnet_hpu.search.space import Choices, Range
from segnet_hpu.search.trial_process import run_trial
from segnet_hpu.training.check import check
from segnet_hpu.training.settings import Settings


def search(base: Settings, space: Mapping[str, Range | Choices], folder: StrPath, trials: int,
           prune: bool) -> optuna.Study:
    """Train until `trials` trials of this folder are finished, earlier calls' included; return the study.

    base: what every trial has in common. space: the settings that vary around it.
    prune: end a trial that is below the median of the earlier ones. A trial that fails counts as finished; one
    that was cut off with its search is tried again. Raises UsageError where the folder holds another search,
    RunError where no trial succeeds.
    """
    place = Path(folder)
    with _only_search_in(place):
        study = _open(place, base, space, trials)
        distributions = {name: dimension.distribution() for name, dimension in space.items()}
        _try_again(study)
        first = {name: config.value_of(base, name) for name in space}
        if not study.trials and all(first[name] in dimension for name, dimension in space.items()):
            study.enqueue_trial(first)
        while len(finished(study)) < trials:
            trial = study.ask(distributions)
            _train(study, trial, base, place / "trials" / str(trial.number), prune)
            write_table(study, place / "trials.csv")
            write_best(study, base, place)
            print(trial_line(study, study.trials[trial.number], trials), flush=True)
        if not succeeded(study):
            raise RunError(f"none of the {trials} trials succeeded; {place / 'trials.csv'} says why. Choose another "
                           "--out for the next search")
        write_plots(study, place)
    return study


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that need not be run again."""
    return [t for t in study.trials if t.state.is_finished() and t.number not in study.user_attrs["killed"]]


def succeeded(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that trained to their end."""
    return study.get_trials(states=[TrialState.COMPLETE])


@contextlib.contextmanager
def _only_search_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the kernel frees however this process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".lock").touch()
    except OSError as error:
        raise RunError(f"cannot write into {folder}: {error.strerror}; choose another --out") from None
    with open(folder / ".lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"--out {folder}: another search is at work there; choose another --out") from None
        yield


def _open(folder: Path, base: Settings, space: Mapping[str, Range | Choices], trials: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=f"sqlite:///{folder.resolve() / 'study.db'}", study_name="segnet_hpu",
                                direction="maximize", load_if_exists=True)
    made_with = {"space": json.dumps({name: repr(dimension) for name, dimension in space.items()}),
                 "config": config.to_yaml(base)}
    for what, text in made_with.items():
        if study.user_attrs.get(what, text) != text:
            raise UsageError(f"--out {folder} holds a search with another --{what}; go on with the same, or choose "
                             "another --out")
        study.set_user_attr(what, text)
    # A sampler that begins anew would draw what it drew before: its seed moves on with the trials.
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=min(10, max(3, trials // 3)),
                                               seed=(base.seed + len(study.trials)) % 2**32)
    # The first epochs say little of the last: what learns slowly at first may end higher.
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=int(base.epochs) // 3 + 1)
    return study


def _try_again(study: optuna.Study) -> None:
    """Put the settings of trials that an earlier search was killed in back into the queue."""
    study.set_user_attr("killed", study.user_attrs.get("killed", []))
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        study.enqueue_trial(trial.params)
        study.set_user_attr("killed", [*study.user_attrs["killed"], trial.number])
        study.tell(trial.number, state=TrialState.FAIL)


def _train(study: optuna.Study, trial: optuna.Trial, base: Settings, folder: Path, prune: bool) -> None:
    def report(epoch: int, score: float) -> bool:
        trial.report(score, epoch)
        return prune and trial.should_prune()

    try:
        settings = with_params(base, trial.params, folder)
        check(settings)
        score, stopped = run_trial(settings, folder / "log.txt", report)
    except SegnetError as error:
        trial.set_user_attr("why", " ".join(str(error).split()))
        study.tell(trial, state=TrialState.FAIL)
        return
    if stopped:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, score)
