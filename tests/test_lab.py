"""The front door: its words to people, its stamp, and one real set-up in a folder with a space."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

import lab
from tests.support.depth import is_full
from tests.support.waiting import eventually

ROOT = Path(lab.__file__).resolve().parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is nothing but a lock, with lab.py's paths turned to it."""
    lock = "\n".join(f"# == {part}\n{part}-package==1" for part in lab.PARTS)
    (tmp_path / "requirements.lock").write_text(f"# A head.\n{lock}\n")
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setattr(lab, "LOCKED", tmp_path / "requirements.lock")
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(tmp_path / ".venv")}))
    packages.mkdir(parents=True)
    monkeypatch.setattr(lab, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(lab, "STAMP", tmp_path / ".venv" / "duplex.json")
    monkeypatch.setattr(lab, "PYTHON", tmp_path / ".venv" / "python")
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
            if path.startswith("/lab/tree/"):
                path = f"notebooks/{path.removeprefix('/lab/tree/')}"
            if "/" in path or path == "notebooks":
                assert (ROOT / path).exists(), path


def test_stamp_survives_writing_and_counts_only_with_a_python(project: Path) -> None:
    wanted = lab.wanted_stamp("core")
    lab.write_stamp(wanted)
    assert lab.read_stamp() == {}  # no Python in this .venv
    lab.PYTHON.touch()
    assert lab.read_stamp() == wanted


def test_stamp_changes_with_the_lock(project: Path) -> None:
    before = lab.wanted_stamp("core")
    with lab.LOCKED.open("a") as file:
        file.write("# more\n")
    after = lab.wanted_stamp("core")
    assert after["installed"] != before["installed"]
    assert after["made_for"] == before["made_for"]
    assert not lab.fits(before, after)


def test_stamp_changes_with_the_folder_and_the_python(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lab.wanted_stamp("core")
    monkeypatch.setattr(lab, "ROOT", project / "moved")
    assert not lab.fits(before, lab.wanted_stamp("core"))
    monkeypatch.setattr(lab, "ROOT", project)
    monkeypatch.setattr("sysconfig.get_platform", lambda: "other-machine")
    assert not lab.fits(before, lab.wanted_stamp("core"))


def test_more_parts_than_wanted_fit_and_fewer_do_not(project: Path) -> None:
    few, more = lab.wanted_stamp("core"), lab.wanted_stamp("notebooks")
    assert lab.fits(more, few)
    assert not lab.fits(few, more)
    assert not lab.fits({}, few)
    without_parts = {name: few[name] for name in ("made_for", "installed")}
    assert lab.fits(without_parts, lab.wanted_stamp("tests"))  # how all was noted before


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

    def __call__(
        self, command: list[str], env: dict[str, str] | None = None, aside: bool = False
    ) -> int:
        assert aside  # so that what the command prints is alone on stdout
        said = " ".join(command)
        self.commands.append(said)
        self.stamps.append(lab.read_stamp().get("installed", "none"))
        lab.PYTHON.touch()
        return 2 if self.fails and self.fails in said else 0


def test_fitting_set_up_does_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.PYTHON.touch()
    lab.write_stamp(lab.wanted_stamp("core"))
    monkeypatch.setattr(lab, "install", lambda wanted: pytest.fail("nothing to do"))
    lab.set_up("core")


def test_first_set_up_is_marked_done_only_at_its_end(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = Installer()
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.set_up("core")
    venv, sync = installer.commands
    assert "-m venv --clear --without-pip" in venv
    assert "--require-hashes" in sync
    assert installer.stamps == ["none", ""]
    assert lab.read_stamp() == lab.wanted_stamp("core")


def test_changed_lock_is_synced_in_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = Installer()
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.PYTHON.touch()
    lab.write_stamp({**lab.wanted_stamp("core"), "installed": "an older lock"})
    lab.set_up("core")
    assert [command.split()[2] for command in installer.commands] == ["sync"]
    assert installer.stamps == [""]


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
    lab.write_stamp({**lab.wanted_stamp("core"), **stamp})
    lab.set_up("core")
    assert "-m venv --clear" in installer.commands[0]


def test_update_without_network_leaves_the_old_set_up(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "run", Installer(fails="sync"))
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.PYTHON.touch()
    old = {**lab.wanted_stamp("core"), "installed": "an older lock"}
    lab.write_stamp(old)
    with pytest.raises(SystemExit, match=r"exit status 2, reason above") as stopped:
        lab.set_up("core")
    assert "outside .venv was changed" in str(stopped.value)
    assert lab.read_stamp() == old


def test_without_uv_pip_installs_the_same_lock(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = Installer(fails="uv.txt")
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: None)
    lab.set_up("core")
    venv, uv, packages = installer.commands
    assert "--without-pip" not in venv
    assert "pip install" in uv
    assert "pip install" in packages
    assert "--require-hashes -r" in packages


@pytest.mark.parametrize("uv", ["uv", None])
def test_another_command_adds_its_part_and_takes_nothing_away(
    project: Path, monkeypatch: pytest.MonkeyPatch, uv: str | None
) -> None:
    installer = Installer()
    monkeypatch.setattr(lab, "run", installer)
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: uv)
    lab.PYTHON.touch()
    lab.write_stamp(lab.wanted_stamp("core"))
    for part in ("notebooks", "core"):
        lab.set_up(part)
    assert not any("venv --clear" in command for command in installer.commands)
    assert lab.read_stamp() == lab.wanted_stamp("notebooks")
    listed = (lab.VENV / "packages.txt").read_text()
    assert "core-package" in listed
    assert "notebooks-package" in listed
    assert "tests-package" not in listed


@pytest.mark.parametrize("installed", ["", "an older lock"])
def test_a_changed_lock_keeps_the_parts_of_other_commands(
    project: Path, monkeypatch: pytest.MonkeyPatch, installed: str
) -> None:
    monkeypatch.setattr(lab, "run", Installer())
    monkeypatch.setattr(lab, "find_uv", lambda skip_venv=False: "uv")
    lab.PYTHON.touch()
    lab.write_stamp({**lab.wanted_stamp("tests"), "installed": installed})
    lab.set_up("core")
    assert lab.read_stamp() == lab.wanted_stamp("tests")


def test_own_settings_of_pip_and_uv_do_not_count_but_ways_to_packages_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreign = ["PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_CONSTRAINT", "UV_REQUIRE_HASHES",
               "UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_TARGET", "UV_NO_BUILD"]  # fmt: skip
    ways = ["PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY", "PIP_DEFAULT_TIMEOUT", "PIP_CONFIG_FILE",
            "UV_DEFAULT_INDEX", "UV_NATIVE_TLS", "UV_CACHE_DIR", "UV_OFFLINE", "UV_LINK_MODE",
            "HTTPS_PROXY"]  # fmt: skip
    for name in (*foreign, *ways, *lab.FOREIGN):
        monkeypatch.setenv(name, "mine")
    env = lab.installing()
    assert env["PIP_USER"] == "0"  # beats a file of settings, too
    assert not {*foreign, *lab.FOREIGN} & (set(env) - {"PIP_USER"})
    assert [env[name] for name in ways] == ["mine"] * len(ways)


def test_where_home_takes_no_files_tools_get_folders_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["UV_CACHE_DIR", "PIP_CACHE_DIR", "MPLCONFIGDIR", "JUPYTER_CONFIG_DIR",
             "JUPYTER_DATA_DIR", "IPYTHONDIR", "npm_config_cache"]  # fmt: skip
    for name in (*names, "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert lab.folders_instead_of_home() == {}
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    env = lab.environment()
    assert all(Path(env[name]).is_relative_to(lab.VENV) for name in names)
    monkeypatch.setenv("UV_CACHE_DIR", "mine")
    assert lab.environment()["UV_CACHE_DIR"] == "mine"


@pytest.mark.parametrize("name", ["PYTHONIOENCODING", "PYTHONOPTIMIZE", "PYTHONINSPECT"])
def test_settings_of_python_that_change_what_runs_do_not_count(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "ascii" if name == "PYTHONIOENCODING" else "1")
    tell = [sys.executable, "-c", "assert print('\N{SNOWMAN}')"]
    done = subprocess.run(tell, env=lab.environment(), capture_output=True, timeout=30)
    assert done.stdout.decode().strip() == "\N{SNOWMAN}"
    assert done.stderr.decode().strip().endswith("AssertionError")
    assert b">>>" not in done.stderr


@pytest.fixture
def debian(project: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    """Debian's Python without the package of venv, which its apt-get can install."""
    apt = Installer()
    monkeypatch.setattr(lab, "run", apt)
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    monkeypatch.setattr("sys.base_prefix", "/usr")
    monkeypatch.setattr(lab, "lacks_venv", lambda with_pip: len(apt.commands) < 2)
    return apt


def test_what_is_run_aside_says_all_of_it_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    tell = [sys.executable, "-c", "import sys; print(1, flush=True); print(2, file=sys.stderr)"]
    assert lab.run(tell, aside=True) == 0
    assert capfd.readouterr() == ("", "1\n2\n")


def test_on_debian_root_gets_venv_installed(
    debian: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "is_root", lambda: True)
    lab.make_venv(with_pip=True)
    update, install, venv = debian.commands
    assert update.startswith("apt-get update")
    assert f" python3.{sys.version_info.minor}-venv" in install
    assert "-m venv --clear" in venv


def test_on_debian_others_are_told_the_one_line(
    debian: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "is_root", lambda: False)
    with pytest.raises(SystemExit, match="ask an administrator") as stopped:
        lab.make_venv(with_pip=True)
    line = r"    sudo apt-get update && sudo apt-get install .* python3\.\d+-venv"
    assert any(re.fullmatch(line, said) for said in str(stopped.value).splitlines())
    assert not debian.commands


def test_elsewhere_a_python_without_venv_says_where_to_get_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit, match=r"python\.org"):
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_killed_set_up_keeps_others_out_until_its_orphan_has_ended(project: Path) -> None:
    child = "import sys; print('filling', flush=True); sys.stdin.read()"
    killed = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import lab; from pathlib import Path;"
        f"lab.ROOT = Path({str(project)!r})\n"
        f"with lab.one_at_a_time(): lab.run([sys.executable, '-c', {child!r}])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", killed], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"filling\n"
        process.kill()
        process.wait(30)
        with open(project / ".venv.lock", "a") as file:
            assert not lab.try_lock(file.fileno())
            process.stdin.close()  # the orphan ends
            assert process.stdout.read() == b""
            eventually(lambda: lab.try_lock(file.fileno()), "the lock to be free")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_what_a_parent_closed_or_ignored_is_set_straight(tmp_path: Path) -> None:
    tell = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import lab; lab.set_straight();"
        "status = lab.run([sys.executable, '-c', 'import sys; sys.exit(sys.stdin.read() or 7)']);"
        f"open({str(tmp_path / 'said')!r}, 'w').write(str(status))"
    )

    def spoil() -> None:
        for descriptor in range(3):
            os.close(descriptor)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])

    subprocess.run([sys.executable, "-c", tell], preexec_fn=spoil, timeout=30)
    assert (tmp_path / "said").read_text() == "7"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in lab.COMMANDS if not lab.COMMANDS[name].about])
def test_help_names_the_command_that_people_typed(name: str) -> None:
    env = {**os.environ, "DUPLEX_COMMAND": f"python3 lab.py {name}"}
    command = [sys.executable, "-m", *lab.COMMANDS[name].module, "--help"]
    said = subprocess.check_output(command, cwd=ROOT, env=env, text=True, timeout=60)
    assert said.startswith(f"usage: python3 lab.py {name} ")
    assert "python -m" not in said


@pytest.mark.parametrize("name", ["load", "notebooks"])
def test_help_of_foreign_programs_is_ours_and_short(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lab.main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: python3 lab.py {name} ")
    assert f"python3 lab.py {name} --help-all" in said
    assert len(said.splitlines()) <= 15


@pytest.mark.parametrize(("root", "allowed"), [(True, True), (False, False)])
def test_notebooks_open_for_root_too(
    monkeypatch: pytest.MonkeyPatch, root: bool, allowed: bool
) -> None:
    started: list[str] = []
    monkeypatch.setattr(lab, "is_root", lambda: root)
    monkeypatch.setattr(lab, "set_up", lambda part: None)
    monkeypatch.setattr(lab, "become", lambda command, name: started.extend(command))
    lab.main(["notebooks", "--help-all"])
    assert ("--allow-root" in started) is allowed
    assert started[-1] == "--help"


def test_exit_status_of_a_command_is_passed_on() -> None:
    assert lab.run([sys.executable, "-c", "raise SystemExit(7)"]) == 7


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_death_by_a_signal_is_reported_as_shells_do() -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert lab.run([sys.executable, "-c", kill]) == 128 + 15


PATH = os.pathsep.join(
    folder
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
    if Path(folder) != Path(sys.executable).parent
)


# uv as people have it who use it for other work, too.
UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), PATH]))


def network(unused: Path) -> bool:
    """Tell whether packages can be fetched: by trying one, without keeping it."""
    command = [str(UV), "pip", "install", "--dry-run", "--no-cache", "--no-deps", "segno"]
    target = ["--target", str(unused), "--python", sys.executable]
    return UV is not None and subprocess.run([*command, *target], timeout=60).returncode == 0


# What the README promises for `compare`, without what Python compiles when that is run.
MOST_KEPT_BYTES = 310_000_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_first_use_for_real(tmp_path: Path) -> None:
    """With uv at hand; the full depth has pip fetch it, as CI does first of all in each clone."""
    if os.environ.get("CI") != "true" and not network(tmp_path / "unused"):
        pytest.skip("no package can be fetched here: the real set-up needs the network")
    project = tmp_path / "a copy, \N{LATIN SMALL LETTER E WITH ACUTE}"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "runs")
    shutil.copytree(ROOT, project, ignore=left_out)
    command = [sys.executable, str(project / "lab.py")]
    programs = tmp_path / "programs"
    programs.mkdir()
    if UV and not is_full():
        shutil.copy(UV, programs)
    # Who has no .venv yet, but settings for other work.
    newcomer = {
        **os.environ,
        "PATH": os.pathsep.join([str(programs), PATH]),
        "PIP_USER": "1",
        "PIP_TARGET": str(tmp_path / "elsewhere"),
        "UV_REQUIRE_HASHES": "1",
        "PYTHONSAFEPATH": "1",
    }

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
    assert stamp["part"] == "core"
    venv = project / ".venv"  # with caches in its `home`, where home takes none: not counted
    kept = (path.lstat() for path in venv.rglob("*") if not path.is_relative_to(venv / "home"))
    assert sum(stat.st_size for stat in kept) < MOST_KEPT_BYTES
    assert not (tmp_path / "elsewhere").exists()
