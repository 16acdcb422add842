"""docs/systems: the tests that its tables name exist, no cell is empty, and its settings and models are ours."""

import re
from pathlib import Path

import pytest

from segnet_hpu.fields import aliases, keys
from segnet_hpu.models.registry import names
from segnet_hpu.training.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs" / "systems").glob("*.md"))
# Of predict, export, dataset, models, tune and demo.
OF_OTHER_COMMANDS = {"--input_path", "--output_path", "--format", "--val", "--layers", "--name", "--space",
                     "--images_path"}
SYSTEMS = [page for page in PAGES if page.name != "README.md"]


def rows(page):
    """The cells of a page's tables, without their heads."""
    lines = [line.strip("|").split("|") for line in page.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if line[0].strip() != "there" and line[0][0] != "-"]


@pytest.mark.parametrize("page", SYSTEMS, ids=lambda page: page.stem)
def test_every_row_names_a_test_that_exists(page):
    found = rows(page)
    assert len(found) > 15
    for row in found:
        assert len(row) == 3 and all(row), row
        path, name = re.fullmatch(r"`(tests/[\w/]+\.py)::(\w+)`", row[2]).groups()
        assert re.search(rf"^\s*(def|class) {name}\b", (ROOT / path).read_text(), re.M), row


def test_there_are_five_pages_and_the_index_leads_to_each():
    index = (ROOT / "docs/systems/README.md").read_text()
    assert len(SYSTEMS) == 5
    for page in SYSTEMS:
        assert f"({page.name})" in index
    for script in re.findall(r"run_scripts/\w+\.sh", index):
        assert (ROOT / script).exists(), script


@pytest.mark.parametrize("page", SYSTEMS, ids=lambda page: page.stem)
def test_what_stands_for_ours_is_ours(page):
    """Settings of training in the middle column, and models by name."""
    known = {f"--{name}" for name in (*keys(Settings), *aliases(Settings))} | OF_OTHER_COMMANDS
    for row in rows(page):
        for flag in re.findall(r"--\w+", row[1]):
            assert flag in known, row
        for model in re.findall(r"`(\w+_(?:vgg|deeplabv3plus|fcn_8)|segnet_\w+)`", row[1]):
            assert model in names(), row
