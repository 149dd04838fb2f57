"""Chapters as PDF, printed by a Chromium that the system has; where there is none, no PDF."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The first opens a page for a third of the others' CPU time.
BROWSERS = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "chrome", "msedge"),
)
_PATIENCE_S = 60


def found_browser() -> str | None:
    """Return the path of a browser that prints, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_pages(browser: str, pages: Sequence[Path]) -> list[Path]:
    """Print each page into a PDF beside it; return those that came out."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = pool.map(lambda page: _print(browser, page), pages)
        return [pdf for pdf in printed if pdf is not None]


def _print(browser: str, page: Path) -> Path | None:
    pdf = page.with_suffix(".pdf")
    pdf.unlink(missing_ok=True)
    # Chromium's own walls need rights that root lacks; what is printed is our own page.
    walls = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = [browser, "--headless", "--disable-gpu", f"--user-data-dir={profile}", *walls]
        words += [
            "--no-pdf-header-footer",
            f"--print-to-pdf={pdf.resolve()}",
            page.resolve().as_uri(),
        ]
        try:
            subprocess.run(words, capture_output=True, timeout=_PATIENCE_S, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
    return pdf if pdf.is_file() else None
