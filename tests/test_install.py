"""An ordinary install is whole: every file is in it, and the commands run from it alone."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import pytest

from results.record.rows import Audit, BytesRow, Cell
from results.record.writer import RunWriter
from tests.support.processes import Lecture, ServerProcess

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ROOT / "clients" / "browser"
PACKAGES = ("wire", "servers", "clients", "loadtests", "results", "notebooks")
# What stays behind: what one machine measured, for the README to show.
LEFT_BEHIND = ("results/reference/", "results/runs/")
# Without site, no file in site-packages can lead back to the checkout; dependencies are named.
PYTHON = (sys.executable, "-S")
COMMANDS = [
    ("servers", "--lecture"),
    ("clients", "technique"),
    ("loadtests", "calibrate"),
    ("loadtests.limits", "--help"),
    ("results", "RUN"),
    ("notebooks.course", "usage"),
]

pytestmark = pytest.mark.slow


def tracked() -> list[str]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("without Git's list of files nobody knows what belongs into an install")
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    return [name for name in names.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder into which a copy of the tracked files was installed; the copy is gone."""
    if not all(map(importlib.util.find_spec, ("uv", "setuptools"))):
        pytest.skip("uv and setuptools are needed, which `lab.py` installs")
    names = tracked()
    copy, target = (tmp_path_factory.mktemp(name) for name in ("copy", "installed"))
    for name in names:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    words = ["uv", "pip", "install", "-q", "--python", sys.executable, "--target", str(target)]
    words += ["--offline", "--no-cache", "--no-deps", "--no-build-isolation", "--no-config"]
    subprocess.run([sys.executable, "-m", *words, str(copy)], check=True)
    shutil.rmtree(copy)
    return target


@pytest.fixture(name="environment")
def environment_(installed: Path) -> dict[str, str]:
    places = [str(installed), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}


def test_every_file_is_in_it(installed: Path) -> None:
    wanted = [
        name
        for name in tracked()
        if name.partition("/")[0] in PACKAGES and not name.startswith(LEFT_BEHIND)
    ]
    assert {Path(name).suffix for name in wanted} >= {".py", ".js", ".css", ".html", ".toml"}
    assert [name for name in wanted if not (installed / name).is_file()] == []


@pytest.mark.parametrize(("module", "word"), COMMANDS)
def test_a_command_helps(
    tmp_path: Path, environment: dict[str, str], installed: Path, module: str, word: str
) -> None:
    words = (
        "import runpy, sys; sys.argv[1:] = ['--help']\n"
        f"try: runpy.run_module({module!r}, run_name='__main__', alter_sys=True)\n"
        "finally: print(*(m.__file__ for m in sys.modules.values()"
        " if getattr(m, '__file__', None)), sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [*PYTHON, "-c", words], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert word in done.stdout
    loaded = [Path(line) for line in done.stderr.splitlines()]
    ours = [path for path in loaded if path.is_relative_to(installed)]
    assert ours
    assert not [path for path in loaded if path.is_relative_to(ROOT / module.partition(".")[0])]


def test_a_server_serves(tmp_path: Path, environment: dict[str, str]) -> None:
    class Installed(ServerProcess):
        python, folder = PYTHON, tmp_path

    Installed.environment = environment
    server = Installed()
    try:
        assert server.stats()["process"]["open_sockets"] > 0
    finally:
        assert server.stop() == 0


def test_the_lecture_page_has_its_files(tmp_path: Path, environment: dict[str, str]) -> None:
    class Installed(Lecture):
        python, folder = PYTHON, tmp_path

    Installed.environment = environment
    lecture = Installed("--plugin-port", "0")
    try:
        with urllib.request.urlopen(lecture.url, timeout=20) as answer:
            page = answer.read().decode()
        names = re.findall(r'(?:src|href)="([\w/.]+\.(?:js|css))"', page)
        assert {Path(name).suffix for name in names} == {".js", ".css"}
        for name in names:
            with urllib.request.urlopen(urljoin(lecture.url, name), timeout=20) as answer:
                body = answer.read()
            assert body in {path.read_bytes() for path in BROWSER.rglob(Path(name).name)}
    finally:
        lecture.stop()


def test_a_recorded_run_is_drawn(tmp_path: Path, environment: dict[str, str]) -> None:
    run = tmp_path / "run"
    with RunWriter(run, "compare", {}, []) as writer:  # with little to draw: that it is drawn
        framing = BytesRow("subscriber", "down", "framing", 280, 28.0, "kernel")
        writer.add(Cell("sse"), audit=Audit(10, 10), bytes=[framing])
    subprocess.run(
        [*PYTHON, "-m", "results", "run"],
        cwd=tmp_path,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert "<!doctype html>" in (run / "report.html").read_text(encoding="utf-8")
    assert "<svg" in (run / "figures" / "bytes_per_message.svg").read_text(encoding="utf-8")
