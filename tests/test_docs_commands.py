"""Every command that README.md and docs/ show: its name, its flags and their values are ours."""

import importlib
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from segnet_hpu import cli, config

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
START = re.compile(r"(?:\S+=\S+ )*(?:horovodrun .*?|mpirun .*?)?(?:segnet-hpu|(?:\S*python -m segnet_hpu)) (.*)")


def commands():
    for page in PAGES:
        blocks = re.findall(r"```bash\n(.*?)```", page.read_text(), re.S)
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            found = START.fullmatch(line.strip())
            if found:
                yield pytest.param(found[1], id=f"{page.name}: {found[1][:60]}")


@pytest.mark.parametrize("text", list(commands()))
def test_command_is_ours(text, tmp_path, monkeypatch):
    name, *words = [word for word in shlex.split(text, comments=True) if word != "..."]
    module = importlib.import_module(f"segnet_hpu.cli.{name}")
    if hasattr(module, "COMMANDS"):
        name, *words = words
        module = importlib.import_module(f"{module.__name__}.{name}")
    assert name in cli.COMMANDS or name in importlib.import_module(module.__package__).COMMANDS
    # The pages' own YAML files are not here.
    monkeypatch.chdir(tmp_path)
    words = [word for i, word in enumerate(words) if word != "--config" and words[max(i - 1, 0)] != "--config"]
    given = {word[2:] for word in words}
    missing = [f.name for f in fields(module.Settings) if f.default is config.REQUIRED and f.name not in given]
    environ = {f"SEGNET_{name.upper()}": "vgg_segnet" if name == "model_name" else "1" for name in missing}
    assert config.read(module.Settings, words, prog=name, environ=environ)


def test_scripts_that_are_named_exist():
    for page in PAGES:
        for script in re.findall(r"\b(?:run_scripts|benchmarks|docker)/[\w.]+\.\w+", page.read_text()):
            assert (ROOT / script).exists(), (page.name, script)
