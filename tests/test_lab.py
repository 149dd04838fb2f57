"""The front door: its words to people, its stamp, and one real set-up in a folder with a space."""

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import lab

ROOT = Path(lab.__file__).resolve().parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two files, with lab.py's paths turned to it."""
    (tmp_path / "requirements.lock").write_text("one==1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setattr(lab, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(lab, "STAMP", tmp_path / ".venv" / "duplex.json")
    monkeypatch.setattr(lab, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(
        lab, "SOURCES", (tmp_path / "requirements.lock", tmp_path / "pyproject.toml")
    )
    (tmp_path / ".venv").mkdir()
    return tmp_path


def test_an_old_python_can_parse_it_and_learns_what_is_needed() -> None:
    source = (ROOT / "lab.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    # The check must come before the first import that an old Python might lack.
    body = ast.parse(source).body
    assert isinstance(body[1], ast.Import)
    assert [name.name for name in body[1].names] == ["sys"]
    assert isinstance(body[2], ast.If)
    assert "Python 3.11 or newer is needed" in ast.unparse(body[2])


def test_walrus_would_be_noticed() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("if (a := 1): pass", feature_version=(3, 6))


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.main(arguments) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in lab.COMMANDS)
    assert max(map(len, said.splitlines())) <= 100


def test_unknown_command_says_what_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.main(["compair"]) == 2
    said = capsys.readouterr().err
    assert "'compair'" in said
    assert "Did you mean 'compare'?" in said
    assert all(name in said for name in lab.COMMANDS)


def test_nothing_is_guessed_for_a_word_unlike_all() -> None:
    assert "mean" not in lab.unknown("xyzzy")


@pytest.mark.parametrize("name", lab.COMMANDS)
def test_every_command_starts_a_module_that_exists(name: str) -> None:
    module = lab.COMMANDS[name].module[0]
    found = find_spec(module)
    assert found is not None
    # A package needs a `__main__`. Looked for as a file: importing locust patches the process.
    places = found.submodule_search_locations
    assert places is None or any((Path(place) / "__main__.py").is_file() for place in places)


def test_files_named_in_commands_exist() -> None:
    for command in lab.COMMANDS.values():
        for argument in command.module[1:]:
            path = argument.rpartition("=")[2]
            if "/" in path or path == "notebooks":
                assert (ROOT / path).exists(), path


def test_stamp_survives_writing_and_counts_only_with_a_python(project: Path) -> None:
    wanted = lab.wanted_stamp()
    lab.write_stamp(wanted)
    assert lab.read_stamp() == {}  # no Python in this .venv
    lab.PYTHON.touch()
    assert lab.read_stamp() == wanted


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_stamp_changes_with_either_file(project: Path, name: str) -> None:
    before = lab.wanted_stamp()
    with (project / name).open("a") as file:
        file.write("# more\n")
    after = lab.wanted_stamp()
    assert after["installed"] != before["installed"]
    assert after["made_for"] == before["made_for"]


def test_stamp_changes_with_the_folder_and_the_python(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lab.wanted_stamp()["made_for"]
    monkeypatch.setattr(lab, "ROOT", project / "moved")
    assert lab.wanted_stamp()["made_for"] != before
    monkeypatch.setattr(lab, "ROOT", project)
    monkeypatch.setattr("sysconfig.get_platform", lambda: "other-machine")
    assert lab.wanted_stamp()["made_for"] != before


@pytest.mark.parametrize("torn", ["", "{", "[]", "\N{SNOWMAN}"])
def test_torn_stamp_counts_as_none(project: Path, torn: str) -> None:
    lab.PYTHON.touch()
    lab.STAMP.write_text(torn, encoding="utf-8")
    assert lab.read_stamp() == {}


class Installer:
    """Stands in for `run`: notes the commands, fails on the one whose words it was given."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.commands: list[str] = []
        self.stamps: list[str] = []

    def __call__(self, command: list[str]) -> int:
        said = " ".join(command)
        self.commands.append(said)
        self.stamps.append(lab.read_stamp().get("installed", "none"))
        lab.PYTHON.touch()
        return 2 if self.fails and self.fails in said else 0


def test_fitting_set_up_does_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.PYTHON.touch()
    lab.write_stamp(lab.wanted_stamp())
    monkeypatch.setattr(lab, "install", lambda wanted: pytest.fail("nothing to do"))
    lab.set_up()


def test_first_set_up_is_marked_done_only_at_its_end(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = Installer()
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.set_up()
    venv, sync, link = installer.commands
    assert "-m venv --clear --without-pip" in venv
    assert "--require-hashes" in sync
    assert "--no-deps --no-build-isolation --editable" in link
    assert installer.stamps == ["none", "", ""]
    assert lab.read_stamp() == lab.wanted_stamp()


def test_changed_lock_is_synced_in_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = Installer()
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.PYTHON.touch()
    lab.write_stamp({**lab.wanted_stamp(), "installed": "an older lock"})
    lab.set_up()
    assert [command.split()[2] for command in installer.commands] == ["sync", "install"]
    assert installer.stamps == ["", ""]


@pytest.mark.parametrize(
    "stamp", [{"installed": ""}, {"made_for": "cpython-39 elsewhere /gone"}], ids=["torn", "other"]
)
def test_broken_off_or_foreign_venv_is_made_anew(
    project: Path, monkeypatch: pytest.MonkeyPatch, stamp: dict[str, str]
) -> None:
    installer = Installer()
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.PYTHON.touch()
    lab.write_stamp({**lab.wanted_stamp(), **stamp})
    lab.set_up()
    assert "-m venv --clear" in installer.commands[0]


def test_update_without_network_leaves_the_old_set_up(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "run", Installer(fails="sync"))
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.PYTHON.touch()
    old = {**lab.wanted_stamp(), "installed": "an older lock"}
    lab.write_stamp(old)
    with pytest.raises(SystemExit, match="is the network there") as stopped:
        lab.set_up()
    assert "Nothing outside .venv was changed" in str(stopped.value)
    assert lab.read_stamp() == old


def test_without_uv_pip_installs_the_same_lock(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = Installer(fails="uv.lock.txt")
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: None)
    lab.set_up()
    venv, uv, packages, link = installer.commands
    assert "--without-pip" not in venv
    assert "pip install" in uv
    assert "pip install" in packages
    assert "--require-hashes -r" in packages
    assert "--editable" in link


def test_python_without_venv_says_which_package(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        lab.make_venv(with_pip=True)


def test_the_lock_keeps_a_second_process_out_until_the_first_is_done(project: Path) -> None:
    probe = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import lab;"
        f"file = open({str(project / '.venv.lock')!r}, 'a'); print(lab.try_lock(file.fileno()))"
    )
    with lab.one_at_a_time():
        inside = subprocess.check_output([sys.executable, "-c", probe], text=True, timeout=30)
    after = subprocess.check_output([sys.executable, "-c", probe], text=True, timeout=30)
    assert (inside.strip(), after.strip()) == ("False", "True")


def test_exit_status_of_a_command_is_passed_on() -> None:
    assert lab.run([sys.executable, "-c", "raise SystemExit(7)"]) == 7


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_death_by_a_signal_is_reported_as_shells_do() -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert lab.run([sys.executable, "-c", kill]) == 128 + 15


def test_lock_file_pins_everything_with_hashes_and_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert {"setuptools", "uv"} <= {pin.split("==")[0] for pin in pins}  # the set-up needs them
    assert "://" not in text


PATH = os.pathsep.join(
    folder
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
    if Path(folder) != Path(sys.executable).parent
)


def network(unused: Path) -> bool:
    """Tell whether packages can be fetched: by trying one, without keeping it."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), PATH]))
    command = [str(uv), "pip", "install", "--dry-run", "--no-cache", "--no-deps", "segno"]
    target = ["--target", str(unused), "--python", sys.executable]
    return uv is not None and subprocess.run([*command, *target], timeout=60).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_first_use_for_real(tmp_path: Path) -> None:
    if os.environ.get("CI") != "true" and not network(tmp_path / "unused"):
        pytest.skip("no package can be fetched here: the real set-up needs the network")
    project = tmp_path / "a copy"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "runs")
    shutil.copytree(ROOT, project, ignore=left_out)
    command = [sys.executable, str(project / "lab.py")]
    newcomer = {**os.environ, "PATH": PATH}  # who has no .venv yet, nor its uv on the PATH

    def use(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments],
            cwd=tmp_path,
            env=newcomer,
            capture_output=True,
            text=True,
            timeout=500,
        )

    first = use("watch", "--help")
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stderr
    assert "usage" in first.stdout
    again = use("watch", "no_such_technique")
    assert again.returncode != 0
    assert ".venv" not in again.stderr
    # The rooms can be imported from anywhere: notebooks do.
    python = project / lab.PYTHON.relative_to(lab.ROOT)
    where = subprocess.check_output(
        [python, "-c", "import wire; print(wire.__file__)"], cwd=tmp_path, text=True, timeout=60
    )
    assert Path(where.strip()).is_relative_to(project)
    stamp = json.loads((project / ".venv" / "duplex.json").read_text(encoding="utf-8"))
    assert str(project) in stamp["made_for"]
