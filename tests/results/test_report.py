"""The page stands alone, and the command line helps."""

import contextlib
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from results.__main__ import main
from results.figures.bars import connection_rates
from results.record.reading import Run, read_run
from results.record.verdicts import Verdict
from results.report import render
from tests.results.test_comparison import in_turns
from tests.support.axe import violations
from wire.techniques import BY_SLUG

SOME = ("polling", "long_polling", "sse")
# Some ten figures are drawn for each page.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Page(HTMLParser):
    """Collects tags with their attributes, and checks that they are closed in order."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def run(write_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of some techniques: each more is a panel more in every figure."""
    bad = {"polling": Verdict.SERVER_BOUND, "long_polling": Verdict.GENERATOR_BOUND}
    folder = tmp_path_factory.mktemp("written") / "run"
    return read_run(write_run(folder, slugs=SOME, bad=bad))


@pytest.fixture(scope="module")
def redrawn(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Redraw a run as its users do; return its folder and what was printed."""
    folder = tmp_path_factory.mktemp("report") / "run <&>"
    shutil.copytree(run.folder, folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([str(folder)]) == 0
    return folder, printed.getvalue()


@pytest.fixture(scope="module")
def page(redrawn: tuple[Path, str]) -> str:
    return (redrawn[0] / "report.html").read_text(encoding="utf-8")


def test_page_is_well_formed_and_small(page: str) -> None:
    parser = Page()
    parser.feed(page)
    assert parser.open == []
    assert len(page) < 2 * 2**20


def test_page_asks_for_nothing_from_outside(page: str) -> None:
    parser = Page()
    parser.feed(page)
    for tag, attributes in parser.tags:
        for name in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(name) or "data:").startswith(("data:", "#")), (tag, attributes)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert "<script" not in page


def test_page_is_accessible(page: str) -> None:
    parser = Page()
    parser.feed(page)
    images = [attributes for tag, attributes in parser.tags if tag == "img"]
    assert len(images) >= 8
    assert all(len(attributes["alt"] or "") > 60 for attributes in images)
    heads = [attributes for tag, attributes in parser.tags if tag == "th"]
    assert all(attributes["scope"] in ("col", "row") for attributes in heads)
    assert parser.tags[0] == ("html", {"lang": "en"})


def test_page_says_everything(page: str, run: Run) -> None:
    for slug in SOME:
        assert BY_SLUG[slug].title in page
    assert page.index('id="figures"') < page.index('id="table"') < page.index('id="measured"')
    assert "SERVER-BOUND" in page
    assert "GENERATOR-BOUND" in page
    assert "invented for this test" in page
    assert "python3 lab.py compare" in page
    assert str(run.head["host"]["cpu"]).replace("(R)", "") in page.replace("(R)", "")
    assert "run &lt;&amp;&gt;" in page


def test_a_against_b_stands_above_the_table(run: Run) -> None:
    """Whoever asked for blocks of A and B looks for the finding first."""
    pair = in_turns(run, factor=2.0, blocks=8, seed=1, drift=0.0)
    found = render(pair, {})
    parser = Page()
    parser.feed(found)
    assert parser.open == []
    assert found.index('id="sides"') < found.index('id="table"')
    assert "B is slower" in found
    assert "Up to 8 blocks" in found
    one = pair.latency["technique"].eq("sse") & pair.latency["variant"].ne("A")
    cut = render(replace(pair, latency=pair.latency[~one]), {})
    assert "A and B are not compared" in cut
    assert "A has 2 combinations and B 1" in cut
    assert 'id="sides"' not in render(run, {})


def test_foreign_text_stays_text(run: Run) -> None:
    """Whoever sends a run sends its words too; none of them becomes markup."""
    evil = "</style><script>alert('1')</script>\"&"
    head = {**run.head, "kind": evil, "command": evil, "started": evil, "commit": evil}
    head |= {"host": {"cpu": evil, "os": evil}, "plan": {evil: [evil]}, "versions": {evil: evil}}
    head["verdict"] = {"verdict": "UNSTABLE", "reason": evil}
    latency = run.latency.assign(reason=evil, network=evil)
    drawing = replace(connection_rates(run), title=evil, alt=evil)
    folder = run.folder.with_name(evil.replace("/", ""))
    foreign = replace(run, head=head, latency=latency, folder=folder)
    found = render(foreign, {drawing: drawing.svg()})
    assert found.count("<script") == 0
    assert found.count("</style") == 1
    assert found.count("alert(&#39;1&#39;)") > 15
    parser = Page()
    parser.feed(found)
    assert parser.open == []


def test_redraw(redrawn: tuple[Path, str]) -> None:
    folder, out = redrawn
    assert all(BY_SLUG[slug].title in out for slug in SOME)
    assert "VALID" in out
    assert (folder / "report.html").exists()
    assert (folder / "figures" / "latency_distribution.svg").exists()


def test_compare(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs are told side by side, and with them what they cannot tell."""
    assert main([str(run.folder), str(run.folder)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "no difference that matters" in out
    assert "not compared: SERVER-BOUND" in out
    assert "B was" not in out  # it is the same run
    assert "Two runs are two times" in out
    assert "they cannot tell" in out


def test_helpful_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "it has no run.json" in capsys.readouterr().err
    assert main(["a", "b", "c"]) == 2
    assert "one run or two runs are accepted, not 3" in capsys.readouterr().err


def test_in_a_browser(browser: Any, page: str, tmp_path: Path) -> None:
    """No accessibility fault that axe-core finds, and no sideways scrolling of the page.

    In the dark colours alone differ, and on a phone they do not.
    """
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    screen, phone = {"width": 1280, "height": 900}, {"width": 390, "height": 900}
    with browser.new_page(viewport=screen, color_scheme="light") as tab:
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= screen["width"]
        assert [fault["id"] for fault in violations(tab)] == []
        tab.emulate_media(color_scheme="dark")
        assert [fault["id"] for fault in violations(tab, others=False)] == []
        tab.set_viewport_size(phone)
        assert tab.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        assert [fault["id"] for fault in violations(tab, colors=False)] == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
