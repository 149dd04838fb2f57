"""``python3 lab.py notebooks`` opens the course in JupyterLab; all options are JupyterLab's own.

But for two. It opens a copy of the reader's own, ``my-notebooks/en``: without outputs, and never
written over once it is there; ``--language es`` (or ``ro``) opens one in that language.
``--originals`` opens the executed notebooks themselves, for those who write the course.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from notebooks.course.execution import NOTEBOOKS, ROOT, notebook_paths
from notebooks.course.marks.pages import START, renew
from notebooks.course.marks.record import NAME, Record
from notebooks.course.translation import in_language, page_in_language
from notebooks.course.words import LANGUAGES

COPIES = ROOT / "my-notebooks"
ORIGINALS = "--originals"


def hand_out(language: str, copies: Path = COPIES) -> Path:
    """Make what is missing of the reader's copy of the course and return its folder."""
    folder = copies / language
    folder.mkdir(parents=True, exist_ok=True)
    for path in notebook_paths():
        if (folder / path.name).exists():
            continue
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        told = json.dumps(in_language(notebook, path.stem, language), ensure_ascii=False, indent=1)
        (folder / path.name).write_text(told + "\n", encoding="utf-8")
    for path in NOTEBOOKS.glob("*.md"):  # nobody writes into these
        (folder / path.name).write_text(page_in_language(path, language), encoding="utf-8")
    shutil.copytree(NOTEBOOKS / "wireshark", folder / "wireshark", dirs_exist_ok=True)
    (folder / NAME).touch()
    return folder


def asked_language(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the language that was asked for, "" without one, and the other arguments.

    Raises :class:`ValueError` that says which there are.
    """
    rest, words, language = [], iter(arguments), ""
    for word in words:
        name, _, value = word.partition("=")
        if name != "--language":
            rest.append(word)
            continue
        language = value or next(words, "")
        if language not in LANGUAGES:
            accepted = ", ".join(f"{code} ({own})" for code, own in LANGUAGES.items())
            raise ValueError(f"--language {language}: the course speaks {accepted}")
    return language, rest


def main(arguments: Sequence[str]) -> int:
    """Run JupyterLab in place of this process, where the system can do that."""
    try:
        language, rest = asked_language(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if ORIGINALS in rest:
        rest.remove(ORIGINALS)
        folder, first = NOTEBOOKS, "README.md"
    else:
        os.environ["DUPLEX_LANGUAGE"] = language = language or "en"
        folder, first = hand_out(language), START
        renew(Record(folder / NAME))
    rest = [f"--LabApp.default_url=/lab/tree/{first}", *rest]
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", *rest]
    if os.name == "nt":
        return subprocess.run(command, check=False).returncode
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
