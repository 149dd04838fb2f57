"""``python -m notebooks.course.traces`` makes the five traces of ``notebooks/wireshark`` anew.

Then it asks tshark again whatever ``README.md`` there shows as asked, and writes the answers down
as they are now; with ``--answers`` it does that alone.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from notebooks.course.execution import NOTEBOOKS
from notebooks.course.lab import Lab

FOLDER = NOTEBOOKS / "wireshark"
_ASKED = re.compile(r"(?<=^```console\n)(\$ .*\n)((?:(?!```).*\n)*)", re.MULTILINE)

TRACES: dict[str, tuple[str, dict[str, Any]]] = {
    "1_polling": (
        "feed",
        {"technique": "polling", "rate": 2, "count": 4, "interval": 0.4, "delay_ms": 25},
    ),
    "2_long_polling": (
        "trace",
        {"technique": "long_polling", "due": [0.3, 0.32, 0.8], "delay_ms": 50},
    ),
    "3_sse": (
        "trace",
        {"technique": "sse", "due": [0.2, 0.4, 0.6], "say": "adios", "delay_ms": 25},
    ),
    "4_web_socket": (
        "trace",
        {"technique": "web_socket", "due": [0.2, 0.4], "say": "adios", "delay_ms": 25},
    ),
    "5_closing": (
        "feed",
        {
            "technique": "long_polling",
            "keep_alive": False,
            "rate": 4,
            "count": 3,
            "arrivals": "even",
            "delay_ms": 25,
        },
    ),
}


def make(folder: Path = FOLDER) -> None:
    """Capture each of them from a server of our own."""
    lab = Lab("14", True)
    try:
        for name, (experiment, asked) in TRACES.items():
            lab.capture(folder / f"{name}.pcapng", experiment, **asked)
    finally:
        lab.close()


def answered(page: str, folder: Path = FOLDER) -> str:
    """Return a page with what its commands answer now; they are ``$ tshark ...`` in a console."""

    def ask(found: re.Match[str]) -> str:
        command = shlex.split(found[1].removeprefix("$ "))
        if command[:1] != ["tshark"]:
            raise ValueError(f"only tshark is asked, not {command}")
        said = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        return found[1] + said.stdout

    return _ASKED.sub(ask, page)


def main(arguments: Sequence[str]) -> int:
    """Make the traces and write the answers."""
    if list(arguments) != ["--answers"]:
        make()
    page = FOLDER / "README.md"
    page.write_text(answered(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
