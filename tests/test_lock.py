"""The lock: each part has what its commands need, by hash, and no more."""

import contextlib
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lab
from tests import relock

ROOT = Path(lab.__file__).resolve().parent


def test_lock_file_pins_everything_with_hashes_and_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert "://" not in text
    core = dict(relock.pins(lab.sections()["core"]))
    assert "uv" in core  # installs the rest
    assert [core[name].count("--hash=") for name in relock.PURE] == [1] * len(relock.PURE)


@cache
def requirements(name: str) -> list[Requirement]:
    """Return what an installed package asks for; its sheet is read once."""
    return [Requirement(line) for line in requires(name) or []]


def needs(name: str, extras: str = "", every_system: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what an installed package asks for with some extras: names and extras."""
    for requirement in requirements(name):
        marker = requirement.marker
        of_extra = "extra ==" in str(marker or "")
        fits = marker is None or any(
            marker.evaluate({"extra": extra}) for extra in ("", *extras.split())
        )
        if fits or (every_system and not of_extra):
            yield canonicalize_name(requirement.name), " ".join(requirement.extras)


def closure(wanted: Iterable[str], every_system: bool) -> set[str]:
    """Return the names of all packages that some requirements bring, on this or any system."""
    todo: set[tuple[str, str]] = set()
    done: set[tuple[str, str]] = set()
    for line in wanted:
        requirement = Requirement(line)
        if every_system or requirement.marker is None or requirement.marker.evaluate():
            todo.add((canonicalize_name(requirement.name), " ".join(requirement.extras)))
    while todo:
        package = todo.pop()
        done.add(package)
        with contextlib.suppress(PackageNotFoundError):  # one of another system
            todo |= set(needs(*package, every_system)) - done
    return {name for name, _ in done}


@pytest.mark.parametrize("last", lab.PARTS)
def test_each_part_of_the_lock_has_what_its_commands_need_and_no_more(last: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = list(lab.PARTS)[: list(lab.PARTS).index(last) + 1]
    wanted = list(project["project"]["dependencies"])
    for group in (group for part in parts for group in relock.GROUPS[part]):
        wanted += project["dependency-groups"][group]
    pinned = {name for part in parts for name, _ in relock.pins(lab.sections()[part])}
    assert closure(wanted, every_system=False) <= pinned
    # What another system's packages bring is not known here, so those are left out.
    known = {name for name in pinned if installed(name)}
    assert known <= closure(wanted, every_system=True)


def installed(name: str) -> bool:
    with contextlib.suppress(PackageNotFoundError):
        requirements(name)
        return True
    return False
