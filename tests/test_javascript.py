"""The gate of the browser's code: what it finds, and what it says where it cannot look."""

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
@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is missing: `apt install nodejs npm`")
def test_a_wrong_field_is_found_through_the_page_and_the_folder_below_it(tmp_path: Path) -> None:
    if not javascript.is_installed():
        pytest.skip("TypeScript is missing: `python -m tests.javascript` fetches it")
    browser = tmp_path / "clients" / "browser"
    (browser / "page").mkdir(parents=True)
    for path in (ROOT / "clients" / "browser").glob("*.*"):
        shutil.copy(path, browser)
    shutil.copy(ROOT / "jsconfig.json", tmp_path)
    command: list[str | Path] = ["node", javascript.CHECKER / "bin" / "tsc"]
    command += ["--project", tmp_path / "jsconfig.json"]
    wrong = 'import { base64 } from "./requests.js";\nbase64(1).arrivedAt;\n'
    (browser / "page" / "wrong.js").write_text(wrong)
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode != 0
    assert "wrong.js(2,11)" in found.stdout
    assert "'arrivedAt' does not exist on type 'string'" in found.stdout
    # And nothing else: what was copied is right as it is.
    told = [line for line in found.stdout.splitlines() if not line.startswith(" ")]
    assert all("wrong.js(" in line for line in told), found.stdout
