"""System programs that a test needs: it is skipped where one is missing, and says how to get it."""

import pytest

from loadtests.between.intermediary import read_shelf


def need(*names: str) -> None:
    """Skip the test unless these intermediaries of the shelf are installed."""
    __tracebackhide__ = True  # it is the test that is named
    if missing := [one for one in read_shelf([*names]) if not one.is_here]:
        titles = " and ".join(one.title for one in missing)
        ways = ", ".join(f"`{one.package}`" for one in missing)
        pytest.skip(f"{titles} {'is' if len(missing) == 1 else 'are'} missing: {ways}")
