"""The front door of Duplex: `python3 lab.py COMMAND`.

The first use makes `.venv` beside this file and installs every version of `requirements.lock`
into it, checked by its hash; later uses only look whether that still fits. Then the asked module
runs inside `.venv`, so whoever knows Python can do without this file (`python -m servers`).

Rules of this file: the standard library only; nothing outside the project's folder is touched;
what the set-up says goes to stderr, so that a command's own output stays clean. An old Python must
be able to parse this file, or its reader gets a SyntaxError where help was meant: no grammar newer
than 3.6.
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
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "duplex.json"
LOCKED = ROOT / "requirements.lock"
SOURCES = (LOCKED, ROOT / "pyproject.toml")


class Command(NamedTuple):
    """What one word on the command line starts (`python -m` and these arguments) and its help."""

    module: tuple[str, ...]
    help: str


COMMANDS = {
    "compare": Command(("loadtests",), "measure every technique, write a report (2 min; --full)"),
    "serve": Command(("servers", "--lecture"), "open the lecture page: every technique, live"),
    "watch": Command(("clients",), "follow one technique in the terminal: watch sse"),
    "notebooks": Command(("jupyterlab", "--notebook-dir=notebooks"), "open the notebooks"),
    "load": Command(
        ("locust", "-f", "loadtests/locustfile.py", "--web-host", "127.0.0.1"),
        "drive the load by hand in Locust's web page",
    ),
    "test": Command(
        ("tests",), "check everything (--fast: without browsers, proxies and load runs)"
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    name, rest = arguments[0], list(arguments[1:])
    if name not in COMMANDS:
        print(unknown(name), file=sys.stderr)
        return 2
    try:
        set_up()
        return become([str(PYTHON), "-m", *COMMANDS[name].module, *rest])
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
        "The first use makes .venv here, which needs the network and about a minute."
    )


def unknown(name: str) -> str:
    """Tell somebody who mistyped a command what is accepted."""
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"lab.py knows no command {name!r}.{guess} Accepted: {', '.join(COMMANDS)}."


# --- running things ---------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """Return the environment of an activated `.venv`; UTF-8 is the same everywhere then."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "VIRTUAL_ENV": str(VENV), "PATH": path, "PYTHONUTF8": "1"}


def run(command: Sequence[str]) -> int:
    """Run a command in the project's folder, wait for it and return its exit status."""
    with subprocess.Popen(command, cwd=ROOT, env=environment()) as child:
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


def become(command: Sequence[str]) -> int:
    """Run the last command of this process: in its place where the system can do that."""
    if os.name == "nt":
        return run(command)
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], list(command), environment())


# --- set-up -----------------------------------------------------------------------------------


def wanted_stamp() -> dict[str, str]:
    """Describe the set-up that fits now: for which Python and folder, and which versions."""
    content = b"".join(source.read_bytes() for source in SOURCES)
    made_for = f"{sys.implementation.cache_tag} {sysconfig.get_platform()} {ROOT}"
    return {"made_for": made_for, "installed": hashlib.sha256(content).hexdigest()}


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
    """Hold the project's set-up lock, which the system frees even if this process is killed."""
    with open(ROOT / ".venv.lock", "w", encoding="utf-8") as file:
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


def set_up() -> None:
    """Make `.venv` fit the lock file; do nothing when it does. Ends the program when it cannot."""
    wanted = wanted_stamp()
    if read_stamp() == wanted:
        return
    try:
        with one_at_a_time():
            if read_stamp() != wanted:  # else another lab.py has just done it
                install(wanted)
    except OSError as error:
        sys.exit(f"The set-up cannot write {error.filename or ROOT}: {error.strerror}.")


def install(wanted: dict[str, str]) -> None:
    """Make or mend `.venv`. Until the last line the stamp says that it is not finished."""
    started = time.monotonic()
    before, uv = read_stamp(), find_uv()
    # What was broken off is made anew; so is all without uv, as pip cannot take packages away.
    update = before.get("made_for") == wanted["made_for"] and before.get("installed") and uv
    if update:
        say("requirements.lock or pyproject.toml changed: bringing .venv up to date ...")
    else:
        say("Making .venv (once; a minute or so) ...")
        make_venv(with_pip=not find_uv(skip_venv=True))
        uv = find_uv()
    write_stamp({**wanted, "installed": ""})
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if not uv:
        # pip checks hashes only for a whole file, so uv's own lines get one.
        only_uv = VENV / "uv.lock.txt"
        lines = re.search(r"^uv==.*\n(?:[ \t].*\n)*", LOCKED.read_text(encoding="utf-8"), re.M)
        only_uv.write_text(lines.group() if lines else "", encoding="utf-8")
        if run([*pip, "--retries=1", "--require-hashes", "-r", str(only_uv)]) == 0:
            uv = find_uv()
    if uv:
        fetch = [uv, "pip", "sync", "-q", "--python", str(PYTHON), "--require-hashes", str(LOCKED)]
        link = [uv, "pip", "install", "-q", "--python", str(PYTHON)]
    else:
        fetch, link = [*pip, "--retries=1", "--require-hashes", "-r", str(LOCKED)], pip
    status = run(fetch)
    if status:
        if update:  # uv fetches everything before it changes anything
            write_stamp(before)
        give_up("the packages could not be fetched; is the network there?", status)
    # The project itself, in place: notebooks import the rooms from wherever they run.
    status = run([*link, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    if status:
        give_up("this project itself could not be installed.", status)
    write_stamp(wanted)
    say(f".venv is ready ({time.monotonic() - started:.0f} s).")


def find_uv(skip_venv: bool = False) -> "str | None":
    """Find uv: the locked one in `.venv`, else one on the PATH."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which("uv", path=path if skip_venv else os.pathsep.join([str(BIN), path]))


def make_venv(with_pip: bool) -> None:
    """Make `.venv` from nothing; what was there before goes."""
    if not importlib.util.find_spec("venv") or (
        with_pip and not importlib.util.find_spec("ensurepip")
    ):
        sys.exit(
            "This Python cannot make virtual environments. On Debian and Ubuntu: "
            "apt install python3-venv. Elsewhere: get Python at python.org."
        )
    STAMP.unlink(missing_ok=True)
    python = getattr(sys, "_base_executable", sys.executable)  # never the one about to be cleared
    pip = [] if with_pip else ["--without-pip"]
    status = run([python, "-m", "venv", "--clear", *pip, str(VENV)])
    if status:
        give_up("no virtual environment could be made.", status)


def give_up(what: str, status: int) -> NoReturn:
    """End the set-up with words for a person; the tool's own words stand above."""
    sys.exit(
        f"\nThe set-up stopped (exit status {status}, reason above): {what}\n"
        "Nothing outside .venv was changed. The same command tries again."
    )


def say(text: str) -> None:
    """Tell a person, beside a command's own output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
