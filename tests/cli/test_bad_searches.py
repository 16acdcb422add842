"""Wrong searches: refused in one line before Optuna or anything heavy is imported, and nothing is written."""

import pytest

from judging import TRAIN

TUNE = TRAIN.replace("train ", "tune ", 1) + ("--validate --val_images images --val_annotations labels "
                                              "--space s.yaml --out search ")

# Name -> (the space's YAML, words of the line).
SPACES = {
    "missing": (None, "--space s.yaml: No such file", "expected a YAML file"),
    "empty": ("", "--space s.yaml names no setting", "low: 1e-4"),
    "list": ("- epochs", "--space s.yaml", "found a list"),
    "no YAML": ("a: [", "s.yaml, line", "not valid YAML"),
    "unknown setting": ("learning_rat: {low: 1, high: 2}", "'learning_rat'", "Did you mean learning_rate?"),
    "what is judged": ("n_classes: {low: 2, high: 3}", "n_classes must be the same in all trials"),
    "where it goes": ("model_dir: {choices: [a, b]}", "model_dir must be the same"),
    "a plain value": ("epochs: 3", "epochs is 3", "choices: [a, b]"),
    "no high": ("epochs: {low: 3}", "epochs is {'low': 3}", "high"),
    "unknown word": ("epochs: {low: 1, high: 3, setp: 2}", "'setp'", "Did you mean step?"),
    "both kinds": ("epochs: {choices: [1], low: 1}", "epochs has 'low'", "expected only choices"),
    "wrong type": ("epochs: {low: 1, high: many}", "epochs: high is 'many'", "a whole number of at least 1"),
    "outside": ("learning_rate: {low: -1, high: 1}", "learning_rate: low is -1", "at least 0"),
    "no number": ("do_augment: {low: false, high: true}", "do_augment is no number", "choices"),
    "text": ("loss: {low: ce, high: dice}", "loss is no number", "choices"),
    "upside down": ("epochs: {low: 3, high: 1}", "low is 3 and high is 1"),
    "log from zero": ("learning_rate: {low: 0, high: 1, log: true}", "low above 0"),
    "log that is no bool": ("learning_rate: {low: 1e-3, high: 1, log: 10}", "log is 10", "true or false"),
    "log with step": ("epochs: {low: 1, high: 9, log: true, step: 2}", "goes with no step"),
    "half a step": ("epochs: {low: 1, high: 9, step: 0.5}", "step is 0.5", "a whole number"),
    "endless step": ("epochs: {low: 1, high: 9, step: .inf}", "step is inf", "a whole number above 0 and at most 8"),
    "too wide a step": ("epochs: {low: 1, high: 3, step: 5}", "step is 5", "at most 2"),
    "no choice": ("loss: {choices: []}", "choices is []", "a list"),
    "wrong choice": ("loss: {choices: [ce, dise]}", "choice is 'dise'", "Did you mean dice?"),
    "choice twice": ("loss: {choices: [ce, ce]}", "one value twice"),
}
CALLS = {
    "no validation": (TUNE + "--validate false", "tune judges by a validation set", "--validate"),
    "several workers": (TUNE + "--distributed", "tune trains on one worker"),
    "no space": (TUNE.replace("--space s.yaml ", ""), "--space"),
    "configuration of one training": (TUNE + "--dump_config c.yaml", "--dump_config is for a single training"),
    "timeline of one training": (TUNE + "--timeline t.json", "--timeline is for a single training; leave it out"),
    "augmentation that is not": (TUNE + "--augmentation_name flip", "--augmentation_name flip", "--do_augment"),
    "no trial": (TUNE + "--trials 0", "--trials is 0", "at least 1"),
    "a file for --out": (TUNE + "--out images/a.png", "--out images/a.png"),
    "faulty training": (TUNE + "--model_name vgg_segnt", "'vgg_segnt'", "Did you mean vgg_segnet?"),
}


@pytest.mark.parametrize("name", SPACES)
def test_wrong_space(refused, place, name):
    text, *words = SPACES[name]
    if text is not None:
        (place / "s.yaml").write_text(text)
    refused(TUNE, words)


@pytest.mark.parametrize("name", CALLS)
def test_wrong_call(refused, place, name):
    command, *words = CALLS[name]
    (place / "s.yaml").write_text("learning_rate: {low: 1e-4, high: 1e-2, log: true}\n")
    refused(command, words)


def test_without_optuna_the_command_to_install_it_is_named(refused, place, monkeypatch):
    (place / "s.yaml").write_text("epochs: {low: 1, high: 2}\n")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    refused(TUNE, ["python -m pip install 'optuna", "matplotlib"])
