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
MISSING = (
    "the browser's code is not checked. `apt install nodejs npm`; elsewhere `brew install node`, "
    "or nodejs.org."
)


def main() -> int:
    """Check the types and return the exit status."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        print(f"Node.js is missing: {MISSING}")
        return 0
    if not is_installed():
        if npm is None:
            print(f"npm is missing: {MISSING}")
            return 0
        install = [npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        if subprocess.run(install, cwd=HERE).returncode or not is_installed():
            in_ci = os.environ.get("CI", "").lower() in ("1", "true")
            print("TypeScript could not be fetched: the browser's code is not checked.")
            return 1 if in_ci else 0
    command = [node, str(CHECKER / "bin" / "tsc"), "--project", "jsconfig.json"]
    return subprocess.run(command, cwd=HERE.parent).returncode


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
