"""docs/reference.md is what the settings and components say of themselves now."""

from pathlib import Path

from segnet_hpu import cli
from segnet_hpu.fields import keys
from segnet_hpu.training.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs/reference.md"


def test_the_page_is_current_and_complete(capsys):
    assert cli.main(["reference"]) == 0
    page = capsys.readouterr().out
    assert page == PAGE.read_text(), "run: python -m segnet_hpu reference > docs/reference.md"
    for key in keys(Settings).values():
        assert f"`{key.name.rpartition('.')[2]}`" in page
    assert "`--loss_smooth`" in page and "| `tversky` |" in page and "above 0 and at most 1" in page
    assert "## Components: `--format`" in page and "| `frozen_pb` |" in page
