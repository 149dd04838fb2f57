"""What people see who start a module of ours where its packages are not: a line, not a traceback.

Every package of ours that needs others than Python's own imports this first. So whatever is started
with ``python -m``, or loaded by Locust, tells how to enter `.venv`, or which command of `lab.py`
does it. Whoever only imports us is left alone.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

OURS = ("clients", "loadtests", "notebooks", "results", "servers", "tests", "wire")


def words(missing: str, module: str) -> str:
    """Tell somebody who started ``module`` where the package ``missing`` is not."""
    import lab  # it knows its commands; only now, as nearly nobody comes here

    fitting = [name for name, one in lab.COMMANDS.items() if one.module[0] == module]
    command = f"python3 lab.py {fitting[0]}" if fitting else "python3 lab.py"
    said = f"{missing} is missing in this Python ({sys.executable}).\n"
    if sys.prefix == str(lab.VENV):
        return f"{said}This brings what is still needed:\n\n    {command}\n"
    known = "" if lab.VENV.exists() else "    python3 lab.py compare        (makes .venv)\n"
    return (
        f"{said}What Duplex needs is in .venv; enter it once in this terminal:\n\n"
        f"{known}    {lab.ENTER}\n\nor let lab.py do it: {command}\n"
    )


def explain_what_is_missing(module: str) -> None:
    """Say :func:`words` instead of a traceback if ``module``, which is started, lacks a package."""
    usual = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, trace: "TracebackType | None"
    ) -> None:
        name = error.name if isinstance(error, ModuleNotFoundError) else None
        missing = (name or "").partition(".")[0]
        if missing and missing not in OURS:
            print(words(missing, module), end="", file=sys.stderr)
        else:
            usual(kind, error, trace)

    sys.excepthook = hook


# While Python looks for what stands behind its -m, only what follows is in sys.argv.
if sys.argv[:1] == ["-m"]:
    explain_what_is_missing(sys.orig_argv[-len(sys.argv)].removeprefix("-m"))
elif any(word.endswith("locustfile.py") for word in sys.argv):
    explain_what_is_missing("locust")
