"""Write requirements.lock anew: ``python -m tests.relock [--upgrade]`` (needs the network).

uv resolves ``pyproject.toml`` for every system and every supported Python at once. The lock keeps
versions that still fit unless ``--upgrade`` says otherwise. It has a section for each part of
lab.py's set-up, with what the part needs beyond the parts before it.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab import LOCKED, PARTS, ROOT

# The dependency groups of pyproject.toml that each part adds; its own dependencies are core's.
GROUPS = {"core": ["setup"], "notebooks": ["notebooks", "shared"], "tests": ["browser", "test"]}
# Packages of which only the wheel for every system is taken. Compiled, matplotlib's fonttools is
# four times as large, and quicker at what nobody here does: to make fonts smaller for a PDF.
PURE = ("fonttools",)
HEAD = """\
# Every version that lab.py installs, with its hashes; written by `python -m tests.relock`.
# A section is a part of the set-up and has what that part needs beyond the parts before it.
"""


def compile_pins(groups: Sequence[str], output: Path, *more: str) -> str:
    """Let uv resolve the project with some groups into a file, whose versions it prefers."""
    words = ["uv", "pip", "compile", "-q", "--universal", "--python-version=3.11"]
    form = ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    asked = [word for group in groups for word in ("--group", group)]
    command = [*words, *form, *more, "--output-file", str(output), "pyproject.toml", *asked]
    subprocess.run(command, cwd=ROOT, check=True)
    return output.read_text("utf-8")


def pins(text: str) -> Iterator[tuple[str, str]]:
    """Yield each pinned package of a lock: its name and its lines, hashes included."""
    for pin in re.finditer(r"^([\w.-]+)==.*\n(?:[ \t].*\n)*", text, re.MULTILINE):
        yield pin[1], pin[0]


def pure(pin: str) -> str:
    """Return a pin with no hash but that of its wheel for every system."""
    head = pin.partition("\n")[0]
    words = ["uv", "pip", "compile", "-q", "--no-deps", "--format=pylock.toml", "-"]
    found = subprocess.check_output(words, input=head.split()[0], text=True)
    (package,) = tomllib.loads(found)["packages"]
    (one,) = (wheel for wheel in package["wheels"] if wheel["url"].endswith("-none-any.whl"))
    return f"{head}\n    --hash=sha256:{one['hashes']['sha256']}\n"


def by_part(every: str, names: Mapping[str, set[str]]) -> str:
    """Lay the pins of ``every`` out in sections, each in the first part that names it."""
    left = [(name, pure(lines) if name in PURE else lines) for name, lines in pins(every)]
    text = HEAD
    for part in PARTS:
        text += f"\n# == {part}\n" + "".join(lines for name, lines in left if name in names[part])
        left = [(name, lines) for name, lines in left if name not in names[part]]
    return text


def main(arguments: Sequence[str]) -> None:
    """Resolve everything together, then each part against that, and write the sections."""
    groups = [group for part in PARTS for group in GROUPS[part]]
    names: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        known, versions, one = (Path(folder) / f"{name}.txt" for name in ("all", "pins", "one"))
        known.write_text(LOCKED.read_text("utf-8"), "utf-8")
        every = compile_pins(groups, known, "--generate-hashes", *arguments)
        versions.write_text(re.sub(r" *\\$|^ .*\n", "", every, flags=re.MULTILINE), "utf-8")
        for last, part in enumerate(PARTS, 1):
            so_far = [group for each in list(PARTS)[:last] for group in GROUPS[each]]
            names[part] = {name for name, _ in pins(compile_pins(so_far, one, "-c", str(versions)))}
    LOCKED.write_text(by_part(every, names), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
