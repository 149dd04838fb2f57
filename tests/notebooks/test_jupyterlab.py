"""The course in a real JupyterLab, in a real browser: a slider, an exercise, the stop button."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loadtests.trials.processes import Child
from notebooks.course.marks.record import NAME
from notebooks.course.opening import hand_out
from tests.notebooks import jupyterlab_at_once
from tests.notebooks.books import PATHS, read, source

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
READY = r"http://127\.0\.0\.1:(\d+)/lab\?token=(\w+)"
PATIENCE_MS = 90_000
# Programs that complete code, and terminals.
UNUSED = {"jupyter_lsp": False, "jupyter_server_terminals": False}
USED = ("cell-01", "hands-on", "done")


def opened(folder: Path) -> None:
    """Leave of notebook 04 what is driven here, and a measurement of its own that takes long."""
    path = folder / PATHS[4].name
    book = read(path)
    book["cells"] = [
        cell for cell in book["cells"] if cell["id"] in USED or 'check("04.4"' in source(cell)
    ]
    long = 'lab.measure("feed", technique="sse", rate=20, count=500)'
    book["cells"].append(
        {"cell_type": "code", "id": "long", "metadata": {}, "outputs": [], "source": [long]}
        | {"execution_count": None}
    )
    path.write_text(json.dumps(book), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = hand_out("en", tmp_path_factory.mktemp("course"))
    opened(folder)
    return folder


@pytest.fixture(scope="module")
def page(browser: "Browser", copy: Path) -> Iterator["Page"]:
    pytest.importorskip("ipywidgets", reason="ipywidgets is missing: lab.py notebooks installs it")
    home = copy.parent / "home"
    options = [
        *("--no-browser", "--allow-root", "--ServerApp.port=0", "--ServerApp.ip=127.0.0.1"),
        f"--ServerApp.root_dir={copy}",
        "--LabApp.app_settings_dir=notebooks/course/jupyterlab",
        f"--LabApp.workspaces_dir={home / 'workspaces'}",
        f"--LabApp.user_settings_dir={home / 'settings'}",
        f"--ServerApp.jpserver_extensions={UNUSED}",
    ]
    share = str(Path(sys.prefix) / "share" / "jupyter")
    told = {"JUPYTER_RUNTIME_DIR": str(home / "runtime"), "JUPYTER_PATH": share}
    told |= {"DUPLEX_LANGUAGE": "en"}
    with Child("JupyterLab", [jupyterlab_at_once.__name__, *options], environment=told) as server:
        port, token = server.await_match(READY)[0].groups()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://127.0.0.1:{port}/lab/tree/{PATHS[4].name}?token={token}")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        yield page
        page.context.close()


def run(page: "Page", number: int) -> Any:
    """Execute a cell by the keyboard and return it."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    return cell


def test_a_slider_moves_the_curve_and_the_button_measures_there(page: "Page") -> None:
    run(page, 0).locator(".jp-OutputArea-output").filter(has_text="Live").wait_for()
    cell = run(page, 1)
    picture = cell.locator("svg[role=img]")
    picture.wait_for()
    before = picture.get_attribute("aria-label")
    assert cell.locator("img").count() == 0, "the figure for readers without a kernel is left out"
    handle = cell.locator(".duplex-delay-ms .noUi-handle")
    handle.press("End")
    page.wait_for_function(
        "([label]) => document.querySelector('svg[role=img]').getAttribute('aria-label') !== label",
        arg=[before],
    )
    moved = picture.get_attribute("aria-label")
    assert "Server-Sent Events from 100 to 100" in str(moved)
    cell.locator(".duplex-rate .noUi-handle").press("End")
    cell.locator(".duplex-measure").click()
    cell.locator("progress").wait_for()
    cell.locator("svg circle[opacity='0.45']").first.wait_for()  # dots fall
    cell.get_by_text("model").wait_for()
    point = re.search(r"measured Server-Sent Events: (\d+) at 60", _label(cell))
    assert point
    assert int(point[1]) >= 100


def _label(cell: Any) -> str:
    return str(cell.locator("svg[role=img]").get_attribute("aria-label"))


def test_an_exercise_is_answered_by_a_click_and_remembered(page: "Page", copy: Path) -> None:
    cell = run(page, 2)
    buttons = cell.locator("button.duplex-choice")
    buttons.first.wait_for()
    assert sorted(buttons.all_inner_texts()) == ["fewer", "none", "same"]
    buttons.filter(has_text="same").click()
    cell.locator(".duplex-wrong[role=status]").filter(has_text="not yet").wait_for()
    buttons.filter(has_text="fewer").click()
    cell.locator(".duplex-right[role=status]").filter(has_text="right").wait_for()
    kept = json.loads((copy / NAME).read_text(encoding="utf-8"))["answers"]["04.4"]
    assert (kept["passed"], kept["tries"]) == (True, 2)
    end = run(page, 3)
    end.get_by_text("1 of 5 exercises are right").wait_for()
    assert end.get_by_role("link", name=re.compile("Next: 05")).count() == 1


def test_axe_finds_nothing_in_what_cells_show(page: "Page") -> None:
    """Outputs are ours; the tabs, menus and editors around them are JupyterLab's.

    So are the sliders' handles ipywidgets', which names none of them and lets nobody else do it.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    assert page.locator("[role=slider]").count(), "the cells above have been run"
    context = {"include": [[".jp-OutputArea-output"]], "exclude": [[".noUi-handle"]]}
    found = axe.run(page, context=context).response["violations"]
    assert not [
        (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]])
        for one in found
    ]


def test_a_stopped_measurement_ends_and_the_next_cell_works(page: "Page") -> None:
    cell = run(page, 4)
    cell.locator("progress").wait_for()
    page.get_by_role("button", name="Interrupt the kernel").first.click()
    cell.get_by_text("was ended; the lab is ready for the next cell").wait_for()
    run(page, 0).locator(".jp-OutputArea-output").filter(has_text="Live").wait_for()
