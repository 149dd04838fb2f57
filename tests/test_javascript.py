"""The gate of the browser's code: what it finds, and what it says where it cannot look."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import javascript

ROOT = Path(__file__).resolve().parent.parent


def test_without_node_it_says_how_to_get_it_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert javascript.main() == 0
    assert "apt install nodejs" in capsys.readouterr().out


@pytest.mark.slow
def test_all_types_fit_and_a_wrong_field_is_found_through_the_page_and_the_folder_below_it(
    tmp_path: Path,
) -> None:
    """Where all tests run, this is the gate."""
    if missing := javascript.provide():
        assert not (os.environ.get("CI") and missing == javascript.UNFETCHED)
        pytest.skip(missing)
    browser = tmp_path / "clients" / "browser"
    shutil.copytree(ROOT / "clients" / "browser", browser)
    shutil.copy(ROOT / "jsconfig.json", tmp_path)
    wrong = 'import { base64 } from "./requests.js";\nbase64(1).arrivedAt;\n'
    (browser / "page" / "wrong.js").write_text(wrong)
    found = subprocess.run(javascript.checking(tmp_path), capture_output=True, text=True)
    assert found.returncode != 0
    assert "wrong.js(2,11)" in found.stdout
    assert "'arrivedAt' does not exist on type 'string'" in found.stdout
    # And nothing else: what was copied is right as it is.
    told = [line for line in found.stdout.splitlines() if not line.startswith(" ")]
    assert all("wrong.js(" in line for line in told), found.stdout
