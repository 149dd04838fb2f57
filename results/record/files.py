"""The files of a run's folder, which may have come from anybody: none leads out of it.

A folder that somebody sent may hold a symbolic link where a table or the report belongs, a pipe
that never ends, or a table of gigabytes. What is written stays in the folder, and what is read is
an ordinary file of bounded size.
"""

import stat
from pathlib import Path

from results.errors import FormatError, ResultsError

MOST_BYTES = 128 * 2**20  # a hundred times the reference run's longest table


def own_path(folder: Path, *names: str) -> Path:
    """Return ``folder/names...`` for writing; none of ``names`` may lead elsewhere.

    Raises :class:`~results.errors.ResultsError` for a symbolic link, or for anything in the file's
    place that is no file.
    """
    path = folder
    for name in names:
        path = path / name
        if path.is_symlink():
            raise ResultsError(
                f"{path} is a symbolic link; a run is written into its own folder only, so remove "
                "the link"
            )
    if path.exists() and not path.is_file():
        raise ResultsError(f"{path} is no ordinary file, so nothing is written there; remove it")
    return path


def write_text(folder: Path, *names: str, text: str) -> Path:
    """Write a file of a run in one step, so that nobody ever reads half of it; return its path.

    Raises :class:`~results.errors.ResultsError` as :func:`own_path`, and ``OSError``.
    """
    path = own_path(folder, *names)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = own_path(folder, *names[:-1], f"{names[-1]}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path


def check_readable(path: Path) -> None:
    """Raise :class:`~results.errors.FormatError` for what is no ordinary file, or too large.

    Raises ``OSError`` where there is nothing.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise FormatError(f"{path} cannot be read: it is no ordinary file")
    if found.st_size > MOST_BYTES:
        raise FormatError(
            f"{path} cannot be read: it has {found.st_size:,} bytes, "
            f"and at most {MOST_BYTES:,} are accepted"
        )
