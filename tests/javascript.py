"""The types of the browser's code, checked by TypeScript: `python -m tests.javascript`.

The checker comes by npm into `tests/node_modules`, in the version and with the hash that
`package-lock.json` names, and is made anew when that changes. Where Node.js is missing, or the
network on first use, this tells how to get it and lets everything else go on; a CI that has Node.js
has to get the checker, too.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKER = HERE / "node_modules" / "typescript"
UNFETCHED = "TypeScript could not be fetched: the browser's code is not checked."
MISSING = (
    "the browser's code is not checked. `apt install nodejs npm`; elsewhere `brew install node`, "
    "or nodejs.org."
)


def main() -> int:
    """Check the types and return the exit status."""
    if missing := provide():
        print(missing)
        in_ci = os.environ.get("CI", "").lower() in ("1", "true")
        return 1 if in_ci and missing == UNFETCHED else 0
    return subprocess.run(checking(HERE.parent), cwd=HERE.parent).returncode


def provide() -> str:
    """Fetch the checker if need be, and return what is missing, empty if nothing is."""
    if shutil.which("node") is None:
        return f"Node.js is missing: {MISSING}"
    if is_installed():
        return ""
    npm = shutil.which("npm")
    if npm is None:
        return f"npm is missing: {MISSING}"
    install = [npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    status = subprocess.run(install, cwd=HERE).returncode
    return UNFETCHED if status or not is_installed() else ""


def checking(folder: Path) -> list[str]:
    """Return the command that checks what a folder's `jsconfig.json` includes."""
    return ["node", str(CHECKER / "bin" / "tsc"), "--project", str(folder / "jsconfig.json")]


def is_installed() -> bool:
    """Whether the checker is there, in the version that is asked for."""
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    try:
        found = json.loads((CHECKER / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(found == wanted["typescript"])


if __name__ == "__main__":
    sys.exit(main())
