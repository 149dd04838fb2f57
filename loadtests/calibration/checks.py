"""Comparisons with what is known, as rows of the record."""

from results.record.rows import CheckRow


def exactly(check: str, expected: float, measured: float, unit: str, note: str = "") -> CheckRow:
    """Return a check that allows no difference."""
    return CheckRow(check, expected, measured, 0.0, unit, measured == expected, note)


def within(
    check: str, expected: float, measured: float, tolerance: float, unit: str, note: str = ""
) -> CheckRow:
    """Return a check of a value that may differ by ``tolerance`` either way."""
    passed = abs(measured - expected) <= tolerance
    return CheckRow(check, expected, measured, tolerance, unit, passed, note)


def within_share(
    check: str, expected: float, measured: float, share: float, unit: str, note: str = ""
) -> CheckRow:
    """Return a check of a value that may differ by a share of what is expected."""
    return within(check, expected, measured, abs(expected) * share, unit, note)


def at_most(
    check: str, limit: float, measured: float, tolerance: float, unit: str, note: str = ""
) -> CheckRow:
    """Return a check of a value that may be anything up to ``limit`` and ``tolerance``."""
    return CheckRow(
        check, limit, measured, tolerance, unit, measured <= limit + tolerance, note or "at most"
    )
